-- SPDX-License-Identifier: GPL-3.0-or-later
-- Secrets: written, named in jobs, spent by claims.  What is sealed is just bytes here.
\ir lib/begin.psql

CREATE FUNCTION pg_temp.put(p_path text, p_value text, p_single_use boolean DEFAULT false,
                            p_expire_after bigint DEFAULT NULL, p_client text DEFAULT 'c')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT body::jsonb FROM api.put_secret(p_client, p_path, 'k1', '\x01', convert_to(p_value, 'UTF8'),
                                           p_single_use, p_expire_after)
$$;
-- Job n of client c names these paths, in queue q<n>.
CREATE FUNCTION pg_temp.name(n int, p_paths text[], p_more jsonb DEFAULT '{}') RETURNS boolean
LANGUAGE sql AS $$
    SELECT pg_temp.submit(n, jsonb_build_object('queue', 'q' || n, 'client_id', 'c',
                                                'secrets', p_paths) || p_more)
$$;
CREATE FUNCTION pg_temp.readable(p_secrets text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(s ->> 'number', convert_from(decode(s ->> 'value', 'base64'), 'UTF8'))
    FROM jsonb_array_elements(p_secrets::jsonb) s
$$;
-- Agents claim these jobs with one call: what they could open, by the number of the job.
CREATE FUNCTION pg_temp.fetch(VARIADIC p_jobs int[]) RETURNS TABLE (job int, readable jsonb)
LANGUAGE sql AS $$
    SELECT right(r.job_id, 12)::int, pg_temp.readable(r.secrets)
    FROM pg_temp.claim_all((SELECT jsonb_agg(jsonb_build_object(
        'agent', 'agent-' || n, 'queues', ARRAY['q' || n], 'token', gen_random_uuid()) ORDER BY n)
        FROM unnest(p_jobs) n)) r ORDER BY 1
$$;
CREATE FUNCTION pg_temp.fetch_one(n int) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT f.readable FROM pg_temp.fetch(n) f $$;

-- writing
SELECT is(pg_temp.put('never', 'v'), '{"expires_at": null}', 'a secret need not expire');
SELECT matches(pg_temp.put('year', 'v', false, 31536000) ->> 'expires_at',
    '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$', 'or says when, as Python reads it');
SELECT matches(pg_temp.put('far', 'v', false, 250000000000) ->> 'expires_at', '^9\d{3}-',
    'at the end of the calendar at last');
SELECT is(pg_temp.put('year', 'w'), '{"expires_at": null}', 'it can be written again');
SELECT results_eq($$ SELECT convert_from(value, 'UTF8'), single_use FROM tf.secret WHERE path = 'year' $$,
    $$ VALUES ('w' COLLATE "C", false) $$, 'and is then the new one alone');
SELECT lives_ok($$ SELECT api.delete_secret('c', 'year') $$, 'it is deleted');
SELECT lives_ok($$ SELECT api.delete_secret('c', 'year') $$, 'twice is fine');
SELECT is((SELECT count(*) FROM tf.secret WHERE path = 'year'), 0::bigint, 'it is gone');
UPDATE tf.secret SET expires_at = now() - interval '1 s' WHERE path = 'far';
SELECT pg_temp.put('x', 'v') \g /dev/null
SELECT is((SELECT count(*) FROM tf.secret WHERE path = 'far'), 0::bigint,
    'expired ones go when others are written');

-- submitting
SELECT throws_ok($$ SELECT pg_temp.name(1, '{zz,never,aa,zz}') $$, 'TF422',
    'inaccessible secret paths: aa, zz', 'paths must exist: all others are named, in order');
SELECT throws_ok($$ SELECT pg_temp.name(1, '{never}', '{"client_id": "d"}') $$, 'TF422', NULL,
    'for that client');
SELECT throws_ok($$ SELECT pg_temp.name(1, '{}', '{"client_id": null}') $$, 'TF422', NULL,
    'even no secret needs a client');
SELECT throws_ok($$ SELECT pg_temp.name(1, '{zz}', '{"id_bad": true}') $$, 'TF422', NULL,
    'they are looked for before the id is judged');
SELECT throws_ok($$ SELECT pg_temp.name(1, '{zz}', '{"exclude_agents": ["a"]}') $$, 'TF422',
    'no agent of queue "q1" is left to run this job', 'and after the agents');
SELECT pg_temp.put('gone', 'v', false, 1) \g /dev/null
UPDATE tf.secret SET expires_at = now() - interval '1 s' WHERE path = 'gone';
SELECT throws_ok($$ SELECT pg_temp.name(1, '{gone}') $$, 'TF422', NULL, 'an expired one does not count');
SELECT pg_temp.put('big', repeat('x', 1500000)) \g /dev/null
SELECT throws_ok($$ SELECT pg_temp.name(1, '{big,big,big}') $$, 'TF422', NULL,
    'more than a claim can carry is refused');
SELECT is(pg_temp.name(2, '{big,big,never}'), true, 'as much as it can is not');
SELECT pg_temp.put('never', repeat('y', 1500000)) \g /dev/null
SELECT is((SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(pg_temp.fetch_one(2)) k), '{0,1}',
    'what grew since then is left out');

-- claiming
SELECT pg_temp.put('a', 'alpha'), pg_temp.put('b', 'beta', true), pg_temp.put('e', 'v') \g /dev/null
SELECT is(pg_temp.name(10, '{b,a,b,e,a}'), true, 'a path may be named more than once');
UPDATE tf.secret SET expires_at = clock_timestamp() WHERE path = 'e';
SELECT is(pg_temp.fetch_one(10), '{"0": "beta", "1": "alpha", "4": "alpha"}',
    'a single-use secret goes to its first naming, an expired one to none');
SELECT is(pg_temp.readable((SELECT secrets FROM api.claims_of(
        ARRAY(SELECT token FROM tf.lease WHERE job_id = pg_temp.id(10))))),
    '{"0": "beta", "1": "alpha", "4": "alpha"}', 'an answer that was lost is the same');
SELECT throws_ok($$ SELECT pg_temp.name(11, '{b}') $$, 'TF422', NULL, 'it is gone for everybody else');
SELECT is(pg_temp.name(10, '{b,a,b,a}', '{"sha256": "00"}'), false,
    'the submission that spent it may be repeated');
SELECT lives_ok($$ SELECT api.delete_secret('c', 'b') $$, 'it cannot be taken away from the job');
SELECT pg_temp.put('b', 'gamma', true) \g /dev/null
SELECT pg_temp.age(10, '20 s') \g /dev/null
SELECT is(pg_temp.fetch_one(10), '{"0": "beta", "1": "alpha", "4": "alpha"}',
    'offered again, the job has what it had');
SELECT pg_temp.put('b', 'gamma') \g /dev/null
SELECT api.return_claim(pg_temp.id(10), l.token::text) FROM tf.lease l WHERE l.job_id = pg_temp.id(10) \g /dev/null
SELECT is(pg_temp.fetch_one(10), '{"0": "beta", "1": "alpha", "4": "alpha"}',
    'returned and claimed anew too, whatever has been written since');
SELECT pg_temp.post(10, 'complete', 'agent-10') \g /dev/null
SELECT is((SELECT count(*) FROM tf.secret WHERE job_id IS NOT NULL), 0::bigint, 'it is removed with the end');
SELECT is((SELECT count(*) FROM tf.job_secret WHERE job_id = pg_temp.id(10)), 0::bigint,
    'and so is what the job named');

SELECT pg_temp.put('s', 'once', true), pg_temp.put('t', 'twice', true) \g /dev/null
SELECT pg_temp.name(20, '{s,t}'), pg_temp.name(21, '{t,s}'), pg_temp.name(22, '{s}') \g /dev/null
SELECT results_eq($$ SELECT * FROM pg_temp.fetch(20, 21, 22) $$,
    $$ VALUES (20, '{"0": "once", "1": "twice"}'::jsonb), (21, NULL), (22, NULL) $$,
    'of jobs claimed together the oldest has it');
SELECT api.cancel_job(pg_temp.id(20), 'c') \g /dev/null
SELECT is((SELECT count(*) FROM tf.secret WHERE path IN ('s', 't')), 0::bigint,
    'a cancelled job has spent it too');
SELECT pg_temp.put('s', 'lasting', true), pg_temp.name(23, '{s}'), pg_temp.put('s', 'lasting') \g /dev/null
SELECT is(pg_temp.fetch_one(23), '{"0": "lasting"}', 'one that was made to last is not spent');
SELECT is((SELECT count(*) FROM tf.secret WHERE path = 's' AND job_id IS NULL), 1::bigint, 'it stays');

SELECT is(pg_temp.name(30, '{}'), true, 'a job may name none');
SELECT results_eq($$ SELECT body::jsonb ->> 'client_id', secrets FROM pg_temp.claim_all(
    '[{"agent": "x", "queues": ["q30"], "token": "00000000-0000-7000-8000-000000000099"}]') $$,
    $$ VALUES ('c', NULL) $$, 'its client is named all the same');

-- clients
SELECT tfx.store_client('c', '{"secret_hash": "h"}') \g /dev/null
SELECT pg_temp.put('u', 'spent', true), pg_temp.name(40, '{u}'), pg_temp.put('a', 'v', false, NULL, 'd') \g /dev/null
SELECT is(pg_temp.fetch_one(40), '{"0": "spent"}', 'spent on a job');
SELECT api.delete_client('c') \g /dev/null
SELECT results_eq($$ SELECT client_id, path FROM tf.secret ORDER BY 1, 2 $$,
    $$ VALUES ('c' COLLATE "C", 'u' COLLATE "C"), ('d', 'a') $$,
    'the secrets of a deleted client go, but for those spent on a job');

-- changing the master key
SELECT results_eq($$ SELECT client_id, path, key_id, data_key FROM tfx.list_other_keys('k2', 0, 10) $$,
    $$ VALUES ('c', 'u', 'k1', 'AQ=='), ('d', 'a', 'k1', 'AQ==') $$, 'secrets that other keys wrap');
SELECT is((SELECT count(*) FROM tfx.list_other_keys('k2', 0, 1)), 1::bigint, 'in batches');
SELECT is(tfx.rewrap_secret((SELECT id FROM tf.secret WHERE path = 'a'), '\x01', 'k2', '\x02'), true,
    'one is wrapped anew');
SELECT is(tfx.rewrap_secret((SELECT id FROM tf.secret WHERE path = 'u'), '\x03', 'k2', '\x02'), false,
    'but not when it was changed meanwhile');
SELECT results_eq($$ SELECT path FROM tfx.list_other_keys('k2', 0, 10) $$, $$ VALUES ('u') $$, 'the rest is left');
\ir lib/end.psql
