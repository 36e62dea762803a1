-- SPDX-License-Identifier: GPL-3.0-or-later
-- What agents post about a job and what is read of it.
\ir lib/begin.psql
SELECT pg_temp.spare('q') \g /dev/null
SELECT pg_temp.submit(n) FROM generate_series(1, 9) n \g /dev/null
SELECT pg_temp.claim('a', '{q}', n) FROM generate_series(1, 3) n \g /dev/null

SELECT is_empty($$ SELECT * FROM api.read_result(pg_temp.id(99), NULL, NULL) $$, 'an unknown job has no result');
SELECT results_eq($$ SELECT job_state, status, device_info FROM api.read_result(pg_temp.id(1), NULL, NULL) $$,
    $$ VALUES ('running', NULL, NULL) $$, 'a claimed job runs and has nothing yet');
SELECT lives_ok($$ SELECT api.post_result(pg_temp.id(1), 'a', NULL, '{"setup":0}',
    '{"b": 1.0, "a": "\u0000"}', 'setup') $$, 'results are posted');
SELECT results_eq($$ SELECT job_state, status, device_info FROM api.read_result(pg_temp.id(1), NULL, NULL) $$,
    $$ VALUES ('setup', '{"setup":0}', '{"b": 1.0, "a": "\u0000"}') $$, 'and read as posted');
SELECT lives_ok($$ SELECT api.post_result(pg_temp.id(1), 'a', NULL, '{"test":46}', NULL, NULL) $$,
    'a later map');
SELECT results_eq($$ SELECT job_state, status, device_info FROM api.read_result(pg_temp.id(1), NULL, NULL) $$,
    $$ VALUES ('setup', '{"test":46}', '{"b": 1.0, "a": "\u0000"}') $$,
    'replaces the one before as a whole, and nothing else');
SELECT lives_ok($$ SELECT api.post_result(pg_temp.id(1), 'a', NULL, NULL, NULL, NULL) $$, 'nothing at all is fine');
SELECT pg_temp.post(1, 'waiting');
SELECT is(pg_temp.state(1), 'setup', 'waiting is ignored');
SELECT pg_temp.post(1, 'cancelled');
SELECT is(pg_temp.state(1), 'setup', 'an agent cannot cancel');
SELECT pg_temp.post(1, 'dancing');
SELECT is(pg_temp.state(1), 'dancing', 'any other state shows');
SELECT pg_temp.post(1, 'complete', 'a', '{"setup":0,"provision":1}');
SELECT is(pg_temp.state(1), 'complete', 'the end');
SELECT is(pg_temp.outcome(1), 'infra_failed', 'with the outcome of its exit codes');
SELECT pg_temp.post(1, 'dancing'), pg_temp.post(1, 'waiting'), pg_temp.post(1, 'completed', 'a', '{"setup":0}');
SELECT is(pg_temp.state(1), 'complete', 'final is final');
SELECT is(pg_temp.outcome(1), 'infra_failed', 'and so is the outcome');
SELECT is((SELECT status FROM api.read_result(pg_temp.id(1), NULL, NULL)), '{"setup":0}', 'though later results are kept');
SELECT results_eq($$ SELECT agent::name, attempts, exit_codes, started_at IS NOT NULL, finished_at IS NOT NULL
    FROM tf.job WHERE id = pg_temp.id(1) $$,
    $$ VALUES ('a'::name, 1, '{"setup": 0, "provision": 1}'::jsonb, true, true) $$, 'the job''s row is complete');
SELECT is((SELECT count(*) FROM tf.lease WHERE job_id = pg_temp.id(1)), 0::bigint, 'its lease has gone');
SELECT is((SELECT reason FROM tf.attempt WHERE job_id = pg_temp.id(1)), 'complete', 'its attempt has ended');
SELECT results_eq($$ SELECT phase::text, exit_code, started_at IS NOT NULL, ended_at IS NOT NULL
    FROM tf.phase p WHERE job_id = pg_temp.id(1) ORDER BY p.phase $$,
    $$ VALUES ('setup', 0::bigint, true, true), ('provision', 1, false, true), ('test', 46, false, true) $$,
    'its phases are on record');
-- a phase begins before it ends
SELECT pg_temp.post(2, 'setup', 'a', '{"setup": 0, "provision": 0}'), pg_temp.post(2, 'provision') \g /dev/null
SELECT results_eq($$ SELECT phase::text, started_at <= ended_at FROM tf.phase p
    WHERE job_id = pg_temp.id(2) ORDER BY p.phase $$, $$ VALUES ('setup', true), ('provision', NULL) $$,
    'its beginning told after its end is not known');
SELECT pg_temp.post(2, 'completed');
SELECT is(pg_temp.state(2), 'completed', 'the other word for the end shows as posted');
SELECT is(pg_temp.outcome(2), 'passed', 'no phase failed');

-- outcomes
SELECT is((tfx.judge_attempt(pg_temp.id(999), 1, status)).outcome, outcome, coalesce(status, 'nothing') || ' is ' || outcome)
FROM (VALUES (NULL, 'passed'), ('{}', 'passed'), ('{"setup":0,"test":0,"cleanup":0}', 'passed'),
    ('{"test":1}', 'failed'), ('{"test":1,"reserve":1}', 'failed'), ('{"setup":1}', 'infra_failed'),
    ('{"provision":46,"test":1}', 'infra_failed'), ('{"firmware_update":-1}', 'infra_failed'),
    ('{"allocate":1}', 'infra_failed'), ('{"test":0,"reserve":2}', 'infra_failed'),
    ('{"test":0,"cleanup":255}', 'passed')) v(status, outcome);

-- posts without a claim
SELECT pg_temp.post(8, 'provision', NULL, '{"setup":0}');
SELECT is(pg_temp.state(8), 'provision', 'a waiting job shows what is posted');
SELECT is((SELECT status FROM api.read_result(pg_temp.id(8), NULL, NULL)), '{"setup":0}', 'and keeps results');
SELECT is((SELECT "position" FROM api.get_job_position(pg_temp.id(8))), 4::bigint, 'and its place');
SELECT pg_temp.post(9, 'complete', 'z', '{"test":1}');
SELECT results_eq($$ SELECT final_state, outcome, attempts, agent::name FROM tf.job WHERE id = pg_temp.id(9) $$,
    $$ VALUES ('complete', 'failed', 0, NULL::name) $$, 'a waiting job may be completed');
SELECT is((SELECT count(*) FROM tf.wait WHERE job_id = pg_temp.id(9)), 0::bigint, 'and leaves its queue');
SELECT lives_ok($$ SELECT pg_temp.post(99, 'complete', 'z', '{"test":1}') $$, 'an unknown job is no error');
SELECT is_empty($$ SELECT * FROM api.read_result(pg_temp.id(99), NULL, NULL) $$, 'and has still no result');
SELECT pg_temp.submit(10, '{"hold": true}') \g /dev/null
SELECT pg_temp.post(10, 'dancing', NULL);
SELECT is(pg_temp.state(10), 'dancing', 'so does a held one');
SELECT pg_temp.post(10, 'complete', NULL);
SELECT is(pg_temp.state(10), 'complete', 'and ends');

-- who posts
SELECT throws_ok($$ SELECT api.post_result(pg_temp.id(3), 'a', 'rubbish', NULL, NULL, NULL) $$, 'TF409',
    NULL, 'a token that is none is stale');
SELECT throws_ok($$ SELECT api.post_result(pg_temp.id(3), 'a', pg_temp.id(901)::text, NULL, NULL, 'complete') $$,
    'TF409', NULL, 'and so is another job''s');
SELECT throws_ok($$ SELECT api.post_result(pg_temp.id(4), 'a', pg_temp.id(901)::text, NULL, NULL, NULL) $$,
    'TF409', NULL, 'and any for a job nobody has');
SELECT lives_ok($$ SELECT api.post_result(pg_temp.id(3), NULL, upper(pg_temp.id(903)::text), NULL, NULL, 'test') $$,
    'the right one needs no name');
SELECT is(pg_temp.state(3), 'test', 'and counts');
SELECT pg_temp.post(3, 'reserve', 'stranger');
SELECT is(pg_temp.state(3), 'reserve', 'an agent that never had the job speaks for the newest attempt');
SELECT api.cancel_job(pg_temp.id(3), NULL);
SELECT pg_temp.post(3, 'complete', 'a', '{"test":0}');
SELECT is(pg_temp.state(3), 'cancelled', 'cancel wins over later posts');
SELECT is(pg_temp.outcome(3), 'cancelled', 'whatever they say');
SELECT is((SELECT status FROM api.read_result(pg_temp.id(3), NULL, NULL)), '{"test":0}', 'their results are kept');
SELECT lives_ok($$ SELECT api.post_result(pg_temp.id(3), 'a', pg_temp.id(903)::text, '{"test":1}', NULL, NULL) $$,
    'the token stays good for that');

-- a second attempt
SELECT is(pg_temp.claim('a', '{q}', 4), 4, 'first attempt');
SELECT pg_temp.post(4, 'setup', 'a', '{"setup":7}');
SELECT pg_temp.age(4, '1 h') \g /dev/null
SELECT tfx.reap_leases(9) \g /dev/null
SELECT pg_temp.post(4, 'provision', 'a');
SELECT is(pg_temp.state(4), 'waiting', 'a retried job waits whatever the lost agent says');
SELECT is(pg_temp.claim('b', '{q}', 5), 4, 'second attempt');
SELECT results_eq($$ SELECT job_state, status, device_info FROM api.read_result(pg_temp.id(4), NULL, NULL) $$, $$ VALUES ('running', NULL, NULL) $$,
    'has results of its own');
SELECT pg_temp.post(4, 'complete', 'a', '{"test":0}');
SELECT is(pg_temp.state(4), 'running', 'the superseded agent does not end it');
SELECT is((SELECT status FROM tf.result WHERE job_id = pg_temp.id(4)), '{"test":0}',
    'its results go to its own attempt');
SELECT pg_temp.post(4, 'complete', 'b', '{"test":1}');
SELECT is(pg_temp.outcome(4), 'failed', 'the newest attempt decides');

-- versions
CREATE FUNCTION pg_temp.version(n int, p_agent text DEFAULT NULL) RETURNS text LANGUAGE sql AS
    $$ SELECT version FROM api.read_result(pg_temp.id(n), p_agent, NULL) $$;
CREATE TEMPORARY TABLE seen (version text);
-- true when the version of job 7 is a new one
CREATE FUNCTION pg_temp.changed() RETURNS boolean LANGUAGE sql AS $$
    WITH now AS (INSERT INTO seen SELECT v FROM pg_temp.version(7) v
                 WHERE NOT EXISTS (SELECT FROM seen s WHERE s.version = v) RETURNING 1)
    SELECT EXISTS (SELECT FROM now)
$$;
SELECT is_empty($$ SELECT * FROM api.read_result(pg_temp.id(99), NULL, '*') $$, 'an unknown job has no version');
SELECT ok(pg_temp.changed(), 'a waiting job has one');
SELECT ok(NOT pg_temp.changed(), 'that stays while nothing happens');
SELECT pg_temp.submit(n) FROM generate_series(71, 72) n \g /dev/null
SELECT ok(NOT pg_temp.changed(), 'to this job');
DELETE FROM tf.wait WHERE job_id <> pg_temp.id(7);
SELECT is(pg_temp.claim('a', '{q}', 7), 7, 'a claim');
SELECT ok(pg_temp.changed(), 'changes it');
SELECT api.post_log(pg_temp.id(7), 'a', NULL, 'output', 'setup', 5, now(), 'x');
SELECT ok(pg_temp.changed(), 'and so does a fragment');
SELECT api.post_log(pg_temp.id(7), 'a', NULL, 'output', 'setup', 5, now(), 'x');
SELECT ok(NOT pg_temp.changed(), 'not the same again');
SELECT api.post_log(pg_temp.id(7), 'a', NULL, 'output', 'setup', 5, now(), 'y');
SELECT ok(pg_temp.changed(), 'another text under its number does');
SELECT api.post_log(pg_temp.id(7), 'a', NULL, 'output', 'setup', 2, now(), 'z');
SELECT ok(pg_temp.changed(), 'an earlier one that comes late does');
SELECT pg_temp.post(7, 'setup');
SELECT ok(pg_temp.changed(), 'a state does');
SELECT pg_temp.post(7, NULL, 'a', '{"setup":0}');
SELECT ok(pg_temp.changed(), 'exit codes do');
SELECT ok(pg_temp.version(4, 'a') <> pg_temp.version(4, 'b'), 'who lost the job reads another state');
SELECT results_eq($$ SELECT version, job_state, status, device_info, logs
    FROM api.read_result(pg_temp.id(7), NULL, format('"x", W/"%s"', pg_temp.version(7))) $$,
    $$ SELECT pg_temp.version(7), NULL, NULL, NULL, NULL $$, 'who has the version gets nothing else');
SELECT is((SELECT job_state FROM api.read_result(pg_temp.id(7), NULL, '"other"')), 'setup', 'others do');
SELECT is((SELECT job_state FROM api.read_result(pg_temp.id(7), NULL, '*')), NULL, 'any version will do');
SELECT pg_temp.post(7, 'complete', 'a', '{"setup":0}');
SELECT ok(pg_temp.changed(), 'the end does');
SELECT pg_temp.post(7, NULL, 'a', '{"setup":1}');
SELECT ok(pg_temp.changed(), 'and what comes after it');
-- any attempt
SELECT results_eq($$ SELECT attempt, version = pg_temp.version(7) FROM api.read_result(pg_temp.id(7), NULL, NULL, NULL, 1) $$,
    $$ SELECT attempt, true FROM api.read_result(pg_temp.id(7), NULL, NULL) $$, 'the newest may be named');
SELECT is_empty($$ SELECT * FROM api.read_result(pg_temp.id(7), NULL, NULL, NULL, 5) $$, 'one there never was has no row');

-- many at once
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'many' || n) || CASE n WHEN 24 THEN '{"retry": {"max": 1, "on": ["test"]}}'::jsonb
    ELSE '{}' END) FROM generate_series(21, 27) n \g /dev/null
UPDATE tf.agent SET queues = queues || '{many24}' WHERE name = 'spare';
SELECT pg_temp.claim('m' || n, ARRAY['many' || n], n - 20) FROM generate_series(21, 26) n \g /dev/null
SELECT api.cancel_job(pg_temp.id(25), NULL) \g /dev/null
CREATE TEMP TABLE many AS SELECT * FROM (VALUES (1, 22, 'm22', NULL, '{"test":0}', NULL, 'complete', NULL),
    (2, 21, 'x', pg_temp.id(901)::text, '{"setup":0}', '{"k": "v"}', 'provision', NULL),
    (3, 23, 'm22', NULL, '{"setup":1}', NULL, 'complete', NULL), (4, 24, 'm24', NULL, '{"test":1}', NULL, 'complete', NULL),
    (5, 25, 'm25', NULL, NULL, NULL, 'complete', NULL), (6, 26, 'm26', pg_temp.id(999)::text, '{"setup":1}', NULL, 'complete', NULL),
    (7, 27, NULL, NULL, '{"setup":1}', NULL, 'setup', NULL), (8, 99, 'm', NULL, '{"setup":1}', NULL, 'setup', NULL))
    v(n, id, agent, token, status, device_info, job_state, stopped);
CREATE FUNCTION pg_temp.post_many() RETURNS TABLE (request int, queue text, alone boolean) LANGUAGE sql AS $$
    SELECT r.request + 1, r.queue, r.alone FROM (
        SELECT array_agg(pg_temp.id(id) ORDER BY n) AS ids, array_agg(agent ORDER BY n) AS agents,
               array_agg(token ORDER BY n) AS tokens, array_agg(status ORDER BY n) AS statuses,
               array_agg(device_info ORDER BY n) AS infos, array_agg(job_state ORDER BY n) AS states,
               array_agg(stopped ORDER BY n) AS stopped FROM many) a
    CROSS JOIN LATERAL api.post_results(ids, agents, tokens, statuses, infos, states, a.stopped) r
$$;
SELECT set_eq('SELECT * FROM pg_temp.post_many()', $$ VALUES (3, NULL, true), (4, 'many24', false), (6, NULL, true),
    (7, NULL, true), (8, NULL, true) $$, 'those that are not of a running job''s agent or token are left to be posted alone');
SELECT results_eq($$ SELECT n, job_state, status FROM generate_series(21, 27) n
    CROSS JOIN LATERAL api.read_result(pg_temp.id(n), NULL, NULL) ORDER BY n $$,
    $$ VALUES (21, 'provision', '{"setup":0}'), (22, 'complete', '{"test":0}'), (23, 'running', NULL),
        (24, 'waiting', '{"test":1}'), (25, 'cancelled', NULL), (26, 'running', NULL), (27, 'waiting', NULL) $$,
    'the others are taken, each as it would be by itself');
SELECT is(pg_temp.outcome(22), 'passed', 'one has ended');
SELECT is_empty($$ SELECT FROM tf.lease WHERE job_id = pg_temp.id(25) $$, 'one knows that it is cancelled');
SELECT set_eq('SELECT * FROM pg_temp.post_many()', $$ VALUES (1, NULL, true), (3, NULL, true), (4, NULL, true), (5, NULL, true),
    (6, NULL, true), (7, NULL, true), (8, NULL, true) $$, 'once more: what has ended meanwhile is left, too');
\ir lib/end.psql
