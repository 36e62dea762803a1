-- SPDX-License-Identifier: GPL-3.0-or-later
-- Renewals that are made together: each has its own end, the one it would have alone.
\ir lib/begin.psql
SELECT pg_temp.submit(n) FROM generate_series(1, 9) n \g /dev/null
SELECT pg_temp.claim('a' || n, '{q}', n, '{"lease": 60}') FROM generate_series(1, 6) n \g /dev/null
SELECT pg_temp.claim('plain', '{q}', 7) \g /dev/null
SELECT pg_temp.age(n, '50 s') FROM generate_series(1, 7) n \g /dev/null
CREATE FUNCTION pg_temp.left_s(n int) RETURNS int LANGUAGE sql AS
    $$ SELECT extract(epoch FROM lease_until - now())::int FROM tf.lease WHERE job_id = pg_temp.id(n) $$;
-- Jobs, agents and tokens by their numbers; a token of 0: none.  What each was told, in the order asked.
CREATE FUNCTION pg_temp.renew(p_jobs int[], p_agents text[], p_tokens int[]) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('%s: %s', request, coalesce(failure, job_state
            || CASE WHEN cancelled THEN ' cancelled' ELSE '' END
            || CASE WHEN expires_at IS NULL THEN ' over' ELSE '' END))
    FROM api.renew_leases(ARRAY(SELECT pg_temp.id(j) FROM unnest(p_jobs) WITH ORDINALITY u(j, n) ORDER BY n), p_agents,
        ARRAY(SELECT CASE WHEN t > 0 THEN pg_temp.id(900 + t)::text END
              FROM unnest(p_tokens) WITH ORDINALITY u(t, n) ORDER BY n))
    ORDER BY request
$$;

SELECT is_empty($$ SELECT pg_temp.renew('{}', '{}', '{}') $$, 'nobody asked');
SELECT results_eq($$ SELECT pg_temp.renew('{1}', '{a1}', '{1}') $$, $$ VALUES ('0: running') $$, 'one alone');
SELECT is(pg_temp.left_s(1), 60, 'is renewed');
SELECT ok((SELECT confirmed IS NOT NULL FROM tf.lease WHERE job_id = pg_temp.id(1)), 'and confirmed');
SELECT pg_temp.age(1, '50 s') \g /dev/null

SELECT api.cancel_job(pg_temp.id(4), NULL);
SELECT api.post_result(pg_temp.id(5), 'a5', pg_temp.id(905)::text, NULL, NULL, 'complete') \g /dev/null
SELECT results_eq($$ SELECT pg_temp.renew('{3, 99, 2, 8, 4, 1, 5, 7, 6, 7}',
    '{a3, a, a2, a8, a4, a1, a5, plain, a6, b}', '{3, 1, 1, 0, 4, 1, 5, 0, 0, 0}') $$,
    $$ VALUES ('0: running'), ('1: TF404'), ('2: TF409'), ('3: TF409'), ('4: cancelled cancelled over'),
              ('5: running'), ('6: complete over'), ('7: running'), ('8: TF409'), ('9: TF409') $$,
    'good, unknown, of another token, waiting, cancelled, ended, by name, by name alone, by another name');
SELECT results_eq($$ SELECT n, pg_temp.left_s(n) FROM generate_series(1, 7) n $$,
    $$ VALUES (1, 60), (2, 10), (3, 60), (4, NULL), (5, NULL), (6, 10), (7, 120) $$, 'the good ones are renewed');
SELECT is((SELECT count(*)::int FROM tf.event WHERE job_id = pg_temp.id(4) AND event = 'confirm'), 1,
    'its agent knows of the cancel');
SELECT is_empty($$ SELECT FROM tf.attempt WHERE job_id = pg_temp.id(99) $$, 'an unknown job leaves nothing behind');

SELECT pg_temp.age(3, '50 s') \g /dev/null
SELECT results_eq($$ SELECT pg_temp.renew('{3, 3, 2, 3}', '{a3, a3, a2, a3}', '{3, 3, 2, 1}') $$,
    $$ VALUES ('0: running'), ('1: running'), ('2: running'), ('3: TF409') $$, 'a job named again');
SELECT is(pg_temp.left_s(3), 60, 'is renewed all the same');
SELECT results_eq($$ SELECT pg_temp.renew('{4, 4}', '{a4, a4}', '{4, 4}') $$,
    $$ VALUES ('0: cancelled cancelled over'), ('1: cancelled cancelled over') $$, 'a cancel is told every time');
SELECT results_eq($$ SELECT failure, why FROM api.renew_leases(ARRAY[pg_temp.id(2)], '{a2}', '{rubbish}') $$,
    $$ VALUES ('TF409', format('job "%s" is not leased under this token any more', pg_temp.id(2))) $$,
    'the reason is told');
\ir lib/end.psql
