-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who gets which job: order, exclusion, batches, repeated offers, returned claims.
\ir lib/begin.psql

SELECT is_empty($$ SELECT * FROM api.claim_jobs('{}', '{}', '{}', '{}', '{}', '{}', NULL, false) $$, 'nobody asks, nobody gets');
SELECT is(pg_temp.claim('a'), NULL, 'an empty queue gives nothing');

-- order
SELECT pg_temp.submit(1), pg_temp.submit(2, '{"queue": "r"}'),
    pg_temp.submit(3, '{"queue": "r", "priority": 5, "authenticated": true, "max_priority": 9}'),
    pg_temp.submit(4, '{"priority": -5, "authenticated": true}'), pg_temp.submit(5) \g /dev/null
SELECT is(pg_temp.claim('a', '{q,r,none}', 1), 3, 'the highest priority of all queues first');
SELECT is(pg_temp.claim('a', '{r,q}', 2), 1, 'then the oldest, whatever the order of the queues');
SELECT is(pg_temp.claim('a', '{r,q}', 3), 2, 'over all queues');
SELECT is(pg_temp.claim('a', '{r,r}', 4), NULL, 'other queues are not looked at');
SELECT is(pg_temp.claim('a', '{q}', 5), 5, 'a low priority waits');
SELECT is(pg_temp.claim('a', '{q}', 6), 4, 'until there is nothing else');
SELECT is(pg_temp.claim('a', '{q,r}', 7), NULL, 'each job is handed out once');
SELECT is(pg_temp.state(3), 'running', 'a claimed job runs');
SELECT throws_ok($$ SELECT api.get_job_position(pg_temp.id(3)) $$, 'TF410', NULL, 'and waits no more');
SELECT is((SELECT count(*) FROM tf.wait_sample), 5::bigint, 'how long each waited is recorded');
SELECT results_eq($$ SELECT agent, attempt, reason FROM tf.attempt WHERE job_id = pg_temp.id(3) $$,
    $$ VALUES ('a' COLLATE "C", 1, NULL) $$, 'an attempt is recorded');

-- the answer
SELECT pg_temp.submit(10, '{"hold": true, "secrets": [], "client_id": "c \"1\""}') \g /dev/null
SELECT is(pg_temp.claim('a', '{q}', 10), NULL, 'a held job is not handed out');
SELECT tfx.ready_job(pg_temp.id(10)) \g /dev/null
SELECT results_eq($$ SELECT request, job_id, body::jsonb - 'started_at'
    FROM pg_temp.claim_all(jsonb_build_array(
        jsonb_build_object('agent', 'b', 'queues', '{none}'::text[], 'token', pg_temp.id(98)),
        jsonb_build_object('agent', 'c', 'queues', '{q}'::text[], 'token', pg_temp.id(99),
                           'lease', 90, 'boot', 'x'))) $$,
    $$ SELECT 1, pg_temp.id(10)::text, jsonb_build_object(
        'job_queue', 'q', 'job_id', pg_temp.id(10), 'attachments_status', 'complete',
        'client_id', 'c "1"', 'lease', jsonb_build_object('token', pg_temp.id(99), 'seconds', 90,
            'attempt', 1, 'stop_after', 3600)) $$, 'the answer has what the agent needs');
SELECT matches((SELECT body::jsonb ->> 'started_at' FROM api.claims_of(ARRAY[pg_temp.id(99)])),
    '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$', 'times have a form Python reads');
SELECT results_eq($$ SELECT request, job_id FROM api.claims_of(ARRAY[pg_temp.id(97), pg_temp.id(99)]) $$,
    $$ VALUES (1, pg_temp.id(10)::text) $$, 'what was committed is found by its token');
SELECT is_empty($$ SELECT * FROM api.claims_of('{}') $$, 'no token, no claim');

-- exclusion
SELECT api.post_agent('x', '{"queues": ["q", "e"]}', NULL), api.post_agent('y', '{"queues": ["e"]}', NULL) \g /dev/null
SELECT pg_temp.submit(n, '{"queue": "e", "exclude_agents": ["x"]}') FROM generate_series(20, 39) n \g /dev/null
SELECT pg_temp.submit(40, '{"queue": "e"}') \g /dev/null
SELECT is(pg_temp.claim('x', '{e}', 20), 40, 'an excluded agent reaches past the jobs that exclude it');
SELECT is(pg_temp.claim('x', '{e}', 21), NULL, 'and gets none of them');
SELECT is(pg_temp.claim('y', '{e}', 22), 20, 'another agent does');

-- batches
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'b')) FROM generate_series(50, 59) n \g /dev/null
CREATE FUNCTION pg_temp.batch(p_agents text[], p_queues text[]) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT request || ':' || right(job_id, 12)::int
    FROM pg_temp.claim_all((SELECT jsonb_agg(jsonb_build_object(
        'agent', a, 'queues', string_to_array(q, '+'), 'token', gen_random_uuid()))
        FROM unnest(p_agents, p_queues) u(a, q))) WHERE job_id IS NOT NULL ORDER BY request
$$;
SELECT results_eq($$ SELECT pg_temp.batch('{k,l,m}', '{b,b+e,none}') $$,
    $$ VALUES ('0:50'), ('1:21') $$, 'a batch is served in its order, each from its own queues');
SELECT results_eq($$ SELECT pg_temp.batch('{n,n,o}', '{b,b,b}') $$,
    $$ VALUES ('0:51'), ('2:52') $$, 'an agent named twice is served once');
SELECT results_eq($$ SELECT pg_temp.batch('{x,p}', '{e,e}') $$,
    $$ VALUES ('1:22') $$, 'nobody gets a job that excludes it, others in the batch do');
SELECT pg_temp.submit(41, '{"queue": "e"}') \g /dev/null
SELECT results_eq($$ SELECT pg_temp.batch('{x,r}', '{e,e}') $$,
    $$ VALUES ('0:41'), ('1:23') $$, 'who is excluded from all the probe saw is served singly');
SELECT api.post_agent('y', '{"queues": ["e", "high"]}', NULL) \g /dev/null
SELECT pg_temp.submit(200, '{"queue": "low"}') \g /dev/null
SELECT pg_temp.submit(201 + n, jsonb_build_object('queue', 'high', 'priority', 5, 'authenticated', true, 'max_priority', 5)
    || CASE WHEN n < 20 THEN '{"exclude_agents": ["x"]}' ELSE '{}'::jsonb END) FROM generate_series(0, 20) n \g /dev/null
SELECT results_eq($$ SELECT pg_temp.batch('{dd,x}', '{none,low+high}') $$, $$ VALUES ('1:221') $$,
    'in a batch too a worse job is no substitute for a better one behind those that exclude the agent');
SELECT results_eq($$ SELECT pg_temp.batch('{s,t,u,v,w,z,aa,bb,cc}', '{b,b,b,b,b,b,b,b,b}') $$,
    $$ SELECT n || ':' || 53 + n FROM generate_series(0, 6) n $$, 'all that is there is given out');

-- an answer that never arrived
SELECT pg_temp.submit(60, '{"queue": "l"}'), pg_temp.submit(61, '{"queue": "l"}') \g /dev/null
SELECT is(pg_temp.claim('la', '{l}', 60), 60, 'a claim');
SELECT is(pg_temp.claim('la', '{l}', 61), 61, 'asking again at once gives another job');
SELECT pg_temp.age(60, '20 s') \g /dev/null
SELECT is(pg_temp.claim('la', '{other}', 62), NULL, 'a lease of a queue not asked for is not offered again');
SELECT is(pg_temp.claim('la', '{l}', 63), 60, 'one never confirmed is offered again');
SELECT results_eq($$ SELECT attempt, token FROM tf.attempt WHERE job_id = pg_temp.id(60) $$,
    $$ VALUES (1, pg_temp.id(963)) $$, 'as the same attempt, under the new token');
SELECT throws_ok($$ SELECT api.post_result(pg_temp.id(60), 'la', pg_temp.id(960)::text, NULL, NULL, 'setup') $$,
    'TF409', NULL, 'the old token is stale');
SELECT lives_ok($$ SELECT api.post_result(pg_temp.id(60), 'la', pg_temp.id(963)::text, NULL, NULL, 'setup') $$,
    'the new one is not');
SELECT is((SELECT confirmed IS NOT NULL FROM tf.lease WHERE job_id = pg_temp.id(60)), true,
    'and confirms the claim');
UPDATE tf.lease SET lease_until = now() + interval '4 h' WHERE job_id = pg_temp.id(60);
SELECT is(pg_temp.claim('la', '{none}', 64), NULL, 'an agent that asks for a job has left its old one');
SELECT is((SELECT lease_until FROM tf.lease WHERE job_id = pg_temp.id(60)), now() + interval '30 min',
    'which gets half an hour for its result');
SELECT pg_temp.submit(62, '{"queue": "boot"}') \g /dev/null
SELECT is(pg_temp.claim('bo', '{boot}', 65, '{"lease": 300, "boot": "1"}'), 62, 'an agent with leases');
SELECT is(pg_temp.claim('bo', '{none}', 66, '{"lease": 300, "boot": "2"}'), NULL, 'restarts');
SELECT is((SELECT lease_until FROM tf.lease WHERE job_id = pg_temp.id(62)), '-infinity',
    'and its old lease is over');

-- return_claim
SELECT pg_temp.submit(70, '{"queue": "ret"}') \g /dev/null
SELECT is(pg_temp.claim('ra', '{ret}', 70), 70, 'a claim whose answer cannot be sent');
SELECT is((SELECT returned FROM api.return_claim(pg_temp.id(70), pg_temp.id(71)::text)), false,
    'is not given back under another token');
SELECT is((SELECT returned FROM api.return_claim(pg_temp.id(70), pg_temp.id(970)::text)), true, 'but under its own');
SELECT is(pg_temp.state(70), 'waiting', 'the job waits again');
SELECT is(pg_temp.claim('ra', '{ret}', 71), 70, 'for anybody');
SELECT pg_temp.post(70, 'setup', 'ra');
SELECT is((SELECT returned FROM api.return_claim(pg_temp.id(70), pg_temp.id(971)::text)), false,
    'once the agent was heard of it keeps the job');
SELECT results_eq($$ SELECT attempt, reason FROM tf.attempt WHERE job_id = pg_temp.id(70) ORDER BY 1 $$,
    $$ VALUES (1, 'returned'), (2, NULL) $$, 'both attempts are on record');
SELECT pg_temp.submit(72, '{"queue": "later"}') \g /dev/null
SELECT is(pg_temp.claim('ra', '{later}', 72), 72, 'a claim whose answer cannot be made');
SELECT is((SELECT returned FROM api.return_claim(pg_temp.id(72), pg_temp.id(972)::text, 60)), true, 'is given back');
SELECT is(pg_temp.claim('rb', '{later}', 73), NULL, 'and nobody gets it at once');
SELECT results_eq($$ SELECT why, not_before BETWEEN now() AND now() + interval '90 s', lost FROM tf.hold
                     WHERE job_id = pg_temp.id(72) $$,
    $$ VALUES ('backoff', true, 0) $$, 'but a while later, and that does not count as lost');
-- claims that wait
CREATE FUNCTION pg_temp.look(p_agent text, p_seen text DEFAULT '', n int DEFAULT 0) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', CASE WHEN changed THEN 'changed' END, CASE WHEN others THEN 'others' END, right(job_id, 3))
    FROM pg_temp.claim_all(jsonb_build_array(jsonb_build_object('agent', p_agent, 'queues', '{w1,w2}'::text[],
                                                                'token', pg_temp.id(950 + n), 'seen', p_seen)))
$$;
CREATE FUNCTION pg_temp.seen(p_agent text) RETURNS text LANGUAGE sql AS $$
    SELECT seen FROM pg_temp.claim_all(jsonb_build_array(jsonb_build_object('agent', p_agent, 'queues', '{none}'::text[],
                                                                            'seen', '')))
$$;
SELECT is(pg_temp.look('w'), '', 'nothing there, for an agent nobody knows');
SELECT api.post_agent('w', '{"queues": ["w1", "w2"], "state": "waiting"}', NULL) \g /dev/null
SELECT is(pg_temp.look('w', pg_temp.seen('w')), NULL, 'nor for one that is known, which is told nothing new');
SELECT is(pg_temp.look('w', 'x'), 'changed', 'it is told when it is another one by now');
SELECT pg_temp.submit(301, '{"queue": "w2"}'), pg_temp.submit(302, '{"queue": "w1"}') \g /dev/null
SELECT is(pg_temp.look('w', 'x'), 'changed others', 'and gets nothing then');
SELECT is(pg_temp.look('w', pg_temp.seen('w'), 1), 'others 301', 'the oldest job, and another one is left');
SELECT is(pg_temp.look('w', pg_temp.seen('w'), 2), '302', 'which is the last');
SELECT api.post_agent('v', '{"queues": ["w1"], "state": "offline"}', NULL),
    pg_temp.submit(303, '{"queue": "w1", "exclude_agents": ["w"]}') \g /dev/null
SELECT is(pg_temp.look('w', pg_temp.seen('w'), 3), 'others', 'a job for others');
SELECT is(pg_temp.look('v', pg_temp.seen('v')), 'others', 'an agent that is away gets nothing');
SELECT results_eq($$ SELECT request, right(job_id, 3), changed, busy, others FROM pg_temp.claim_all(jsonb_build_array(
        '{"agent": "nobody", "queues": ["none"]}'::jsonb, '{"agent": "v", "queues": ["w1"], "seen": ""}'::jsonb,
        '{"agent": "w", "queues": ["w1"], "seen": "x"}'::jsonb, '{"agent": "new", "queues": ["w1"], "seen": ""}'::jsonb,
        jsonb_build_object('agent', 'known', 'queues', '{w2}'::text[], 'seen', pg_temp.seen('known')))) ORDER BY 1 $$,
    $$ VALUES (1, NULL::text, false, false, false), (2, NULL, true, false, false), (3, '303', false, false, false) $$,
    'in a batch each is told what concerns it');
CREATE TEMPORARY TABLE standing AS SELECT pg_temp.seen('w') AS was;
SELECT api.post_agent('w', '{"log": ["x"], "comment": "y", "job_id": "z"}', NULL) \g /dev/null
SELECT is(pg_temp.seen('w'), was, 'what an agent tells besides is no change') FROM standing;
INSERT INTO tf.restricted_queue VALUES ('w2');
SELECT tfx.add_client('w2-owner', '{}');
SELECT api.add_queue_owner('w2', 'w2-owner');
SELECT ok(pg_temp.seen('w') <> was, 'an owner of its queue is one') FROM standing;

-- jobs of several weeks
SELECT pg_temp.submit(n, '{"queue": "weeks"}') FROM generate_series(400, 402) n \g /dev/null
UPDATE tf.definition SET week = week - 7 WHERE job_id = pg_temp.id(401);
UPDATE tf.wait SET week = week - 7 WHERE job_id = pg_temp.id(401);
CREATE FUNCTION pg_temp.weeks(VARIADIC p_agents text[]) RETURNS TABLE (job text, queue text) LANGUAGE sql AS $$
    SELECT right(c.job_id, 3), c.body::jsonb ->> 'job_queue'
    FROM pg_temp.claim_all((SELECT jsonb_agg(jsonb_build_object(
        'agent', a.name, 'queues', '{weeks}'::text[], 'token', pg_temp.id(9950 + a.n::int)))
        FROM unnest(p_agents) WITH ORDINALITY a(name, n))) c
$$;
SELECT results_eq($$ SELECT * FROM pg_temp.weeks('t1', 't2') ORDER BY 1 $$, $$ VALUES ('400', 'q'), ('401', 'q') $$,
    'claims of one batch carry definitions of different weeks');
SELECT results_eq($$ SELECT right(c.job_id, 3), c.body::jsonb ->> 'job_queue'
                     FROM api.claims_of(ARRAY[pg_temp.id(9951), pg_temp.id(9952)]) c ORDER BY 1 $$,
    $$ VALUES ('400', 'q'), ('401', 'q') $$, 'when they are asked for once more, too');
UPDATE tf.lease SET offered_at = offered_at - interval '1 h' WHERE agent = 't2';
SELECT results_eq($$ SELECT * FROM pg_temp.weeks('t2', 't3') ORDER BY 1 $$, $$ VALUES ('401', 'q'), ('402', 'q') $$,
    'a job offered again is of another week than a new one');
\ir lib/end.psql
