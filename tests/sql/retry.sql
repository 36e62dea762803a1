-- SPDX-License-Identifier: GPL-3.0-or-later
-- What follows an attempt that failed: another one, at once or later, or the end; and jobs that do not want
-- to wait for ever.
\ir lib/begin.psql
UPDATE tf.lease_rule SET value = most WHERE name = 'brake_least';
INSERT INTO tf.agent (name, queues) SELECT n, '{q,off}' FROM unnest('{a,b,c}'::text[]) n;
-- Submits job n with a policy, claims it for an agent and lets that do something.
CREATE FUNCTION pg_temp.start(n int, p_retry jsonb, p_agent text DEFAULT 'a', p_more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
    SELECT pg_temp.submit(n, jsonb_build_object('queue', 'q' || n) || coalesce(jsonb_build_object('retry', p_retry), '{}') || p_more);
    UPDATE tf.agent SET queues = queues || ('q' || n);
    SELECT pg_temp.claim(p_agent, ARRAY['q' || n], n)
$$;
CREATE FUNCTION pg_temp.lose(n int, p_state text, p_agent text DEFAULT 'a') RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.post(n, p_state, p_agent), pg_temp.age(n, '5 h');
    SELECT string_agg(reason, ' ') FROM tfx.reap_leases(9)
$$;
CREATE FUNCTION pg_temp.finish(n int, p_status text, p_agent text DEFAULT 'a') RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.post(n, 'complete', p_agent, p_status);
    SELECT pg_temp.state(n) || coalesce(' ' || pg_temp.outcome(n), '')
$$;

-- an agent that is lost
SELECT pg_temp.start(1, '{"max": 2}') \g /dev/null
SELECT is(pg_temp.lose(1, 'test'), 'retry', 'a job may want another attempt however far it came');
SELECT is(pg_temp.claim('a', '{q1}', 1), NULL, 'not by the agent that knows no tokens');
SELECT is(pg_temp.claim('b', '{q1}', 1), 1, 'by another one');
SELECT is(pg_temp.lose(1, 'setup', 'b'), 'retry', 'and once more');
SELECT is(pg_temp.claim('c', '{q1}', 1), 1, 'by a third');
SELECT is(pg_temp.lose(1, 'setup', 'c'), 'agent_lost', 'but no more often');
SELECT is(pg_temp.outcome(1), 'agent_lost', 'then it has ended');
SELECT pg_temp.start(2, '{"max": 0}') \g /dev/null
SELECT is(pg_temp.lose(2, 'setup'), 'agent_lost', 'a job may want none');
SELECT pg_temp.start(3, '{"max": 5, "on": ["provision"]}') \g /dev/null
SELECT is(pg_temp.lose(3, 'setup'), 'agent_lost', 'or none for this');
SELECT pg_temp.start(4, '{"max": 10}') \g /dev/null
UPDATE tf.agent SET queues = '{}' WHERE name <> 'a';
SELECT is(pg_temp.lose(4, 'setup'), 'agent_lost', 'nobody else serves its queue: it has ended');
UPDATE tf.agent SET queues = '{q,q5}' WHERE name <> 'a';
SELECT pg_temp.start(5, '{"max": 10}', 'a', '{"exclude_agents": ["b"]}') \g /dev/null
UPDATE tf.agent SET updated_at = now() - interval '8 days' WHERE name = 'c';
SELECT is(pg_temp.lose(5, 'setup'), 'agent_lost', 'who is excluded, or was not heard of for a week, does not serve it');
UPDATE tf.agent SET updated_at = now();
SELECT pg_temp.submit(6, '{"queue": "lone"}'), pg_temp.claim('z', '{lone}', 6, '{"lease": 60}') \g /dev/null
SELECT api.renew_lease(pg_temp.id(6), 'z', pg_temp.id(906)::text), pg_temp.age(6, '1 h') \g /dev/null
SELECT is((SELECT string_agg(reason, ' ') FROM tfx.reap_leases(9)), 'retry', 'an agent with leases');
SELECT is(pg_temp.claim('z', '{lone}', 6, '{"lease": 60}'), 6, 'may try again itself');
SELECT api.renew_lease(pg_temp.id(6), 'z', pg_temp.id(906)::text), pg_temp.age(6, '1 h') \g /dev/null
SELECT is((SELECT string_agg(reason, ' ') FROM tfx.reap_leases(9)), 'agent_lost', 'once');
SELECT pg_temp.submit(7, '{"queue": "lone", "retry": {"max": 1, "avoid_same_agent": true}}'), pg_temp.claim('z', '{lone}', 7, '{"lease": 60}') \g /dev/null
SELECT api.renew_lease(pg_temp.id(7), 'z', pg_temp.id(907)::text), pg_temp.age(7, '1 h') \g /dev/null
SELECT is((SELECT string_agg(reason, ' ') FROM tfx.reap_leases(9)), 'agent_lost', 'unless the job wants another agent');

-- a phase that fails
SELECT pg_temp.start(20, NULL) \g /dev/null
SELECT is(pg_temp.finish(20, '{"provision": 1}'), 'complete infra_failed', 'by default a failure is the end');
SELECT pg_temp.start(21, '{"max": 1, "on": ["provision"]}') \g /dev/null
SELECT is(pg_temp.finish(21, '{"setup": 0, "provision": 1, "cleanup": 0}'), 'waiting', 'a job may want another attempt');
SELECT is(pg_temp.finish(21, '{"setup": 0, "provision": 1, "cleanup": 0}'), 'waiting', 'the same post again does not end it');
SELECT throws_ok($$ SELECT api.renew_lease(pg_temp.id(21), 'a', pg_temp.id(921)::text) $$, 'TF409', NULL, 'its agent has no lease any more');
SELECT is(pg_temp.claim('a', '{q21}', 21), NULL, 'nor does it get another: what it sends late would count for that');
SELECT is(pg_temp.claim('b', '{q21}', 21), 21, 'another agent does');
SELECT is(pg_temp.finish(21, '{"provision": 1}', 'b'), 'complete infra_failed', 'once');
SELECT results_eq($$ SELECT attempt, reason FROM tf.attempt WHERE job_id = pg_temp.id(21) ORDER BY 1 $$,
    $$ VALUES (1, 'retried'), (2, 'complete') $$, 'both attempts are on record');
SELECT results_eq($$ SELECT event, why FROM tf.event WHERE job_id = pg_temp.id(21) AND event IN ('retry', 'complete') ORDER BY id $$,
    $$ VALUES ('retry', 'infra_failed'), ('complete', 'infra_failed') $$, 'with the reason');
SELECT pg_temp.start(22, '{"max": 3, "on": ["infra_failed"], "avoid_same_agent": true}') \g /dev/null
SELECT is(pg_temp.finish(22, '{"test": 1}'), 'complete failed', 'not for another outcome');
SELECT pg_temp.start(23, '{"max": 3, "on": ["infra_failed"], "avoid_same_agent": true}') \g /dev/null
SELECT is(pg_temp.finish(23, '{"setup": 1}'), 'waiting', 'for this one');
SELECT is(pg_temp.claim('a', '{q23}', 23), NULL, 'with another agent');
SELECT is(pg_temp.claim('b', '{q23}', 23), 23, 'if it wants so');
SELECT pg_temp.post(23, 'complete', 'a', '{"setup": 0}');
SELECT is(pg_temp.state(23), 'running', 'the first one has no say any more');
SELECT is(pg_temp.finish(23, '{"setup": 0}', 'b'), 'complete passed', 'success is the end');
SELECT pg_temp.start(24, '{"max": 3, "on": ["failed", "test"]}') \g /dev/null
SELECT is(pg_temp.finish(24, '{"test": 0, "cleanup": 9}'), 'complete passed', 'cleanup is not the job''s concern');
SELECT pg_temp.start(25, '{"max": 3, "on": ["test"]}') \g /dev/null
SELECT api.cancel_job(pg_temp.id(25), NULL);
SELECT is(pg_temp.finish(25, '{"test": 1}'), 'cancelled cancelled', 'what is cancelled is not tried again');
SELECT pg_temp.submit(26, '{"retry": {"max": 3, "on": ["test"]}}') \g /dev/null
SELECT is(pg_temp.finish(26, '{"test": 1}'), 'complete failed', 'nor what nobody had claimed');

-- time-outs
SELECT pg_temp.start(30, '{"max": 1, "on": ["timed_out"]}', 'a', '{"global_timeout": 100}') \g /dev/null
SELECT pg_temp.post(30, 'provision');
UPDATE tf.phase SET started_at = started_at - interval '101 s' WHERE job_id = pg_temp.id(30);
SELECT is(pg_temp.finish(30, '{"provision": 137}'), 'waiting', 'a phase that took as long as it may');
SELECT is((SELECT why FROM tf.event WHERE job_id = pg_temp.id(30) AND event = 'retry'), 'timed_out', 'was stopped');
SELECT is(pg_temp.claim('b', '{q30}', 30), 30, 'again');
SELECT pg_temp.post(30, 'provision', 'b');
UPDATE tf.phase SET started_at = started_at - interval '90 s' WHERE job_id = pg_temp.id(30);
SELECT is(pg_temp.finish(30, '{"provision": 137}', 'b'), 'complete infra_failed', 'one that failed before that was not');
SELECT pg_temp.start(31, NULL) \g /dev/null
SELECT pg_temp.post(31, 'test');
UPDATE tf.phase SET started_at = started_at - interval '15000 s' WHERE job_id = pg_temp.id(31);
SELECT is(pg_temp.finish(31, '{"test": 143}'), 'complete timed_out', 'four hours are the limit of who names none');
SELECT pg_temp.start(32, NULL, 'a', '{"global_timeout": 1}') \g /dev/null
SELECT pg_temp.post(32, 'test');
UPDATE tf.phase SET started_at = started_at - interval '1 h' WHERE job_id = pg_temp.id(32);
SELECT is(pg_temp.finish(32, '{"test": 0}'), 'complete passed', 'what succeeds was not stopped');
SELECT pg_temp.start(33, NULL) \g /dev/null
SELECT api.touch_job(pg_temp.id(33), 'b', NULL, 'output_timeout'), api.touch_job(pg_temp.id(33), 'a', NULL, 'dance') \g /dev/null
SELECT is((SELECT stop_reason FROM tf.attempt WHERE job_id = pg_temp.id(33)), NULL, 'not everybody, not everything');
SELECT api.touch_job(pg_temp.id(33), 'a', NULL, 'output_timeout'), api.touch_job(pg_temp.id(33), 'a', NULL, 'global_timeout') \g /dev/null
SELECT is((SELECT stop_reason FROM tf.attempt WHERE job_id = pg_temp.id(33)), 'output_timeout', 'its agent says why it stopped');
SELECT is(pg_temp.finish(33, '{"test": 143}'), 'complete timed_out', 'so it timed out');
SELECT pg_temp.start(34, '{"max": 1, "on": ["timed_out"]}') \g /dev/null
SELECT api.post_result(pg_temp.id(34), 'a', NULL, '{"test": 143}', NULL, NULL, 'global_timeout') \g /dev/null
SELECT is(pg_temp.finish(34, NULL), 'waiting', 'it may say so with the exit code');
SELECT is(pg_temp.claim('b', '{q34}', 34), 34, 'of that attempt');
SELECT is(pg_temp.finish(34, '{"test": 143}', 'b'), 'complete failed', 'the next one has its own');
SELECT pg_temp.start(35, NULL) \g /dev/null
SELECT api.post_result(pg_temp.id(35), 'a', NULL, '{"test": 143}', NULL, 'complete', 'output_timeout') \g /dev/null
SELECT is(pg_temp.outcome(35), 'timed_out', 'or with the end');

-- after a while
SELECT pg_temp.start(40, '{"max": 2, "on": ["agent_lost", "test"], "backoff": 60}') \g /dev/null
SELECT is(pg_temp.lose(40, 'test'), 'retry', 'another attempt');
SELECT is((SELECT why FROM tf.hold WHERE job_id = pg_temp.id(40)), 'backoff', 'not yet');
SELECT is(pg_temp.state(40), 'waiting', 'it waits for that');
SELECT is(pg_temp.claim('b', '{q40}', 40), NULL, 'nobody gets it');
SELECT is(tfx.ready_job(pg_temp.id(40)), false, 'attachments have nothing to do with it');
SELECT is(cardinality(tfx.release_jobs(9)), 0, 'it is not time');
UPDATE tf.hold SET not_before = now();
SELECT is(cardinality(tfx.release_jobs(9)), 1, 'it is');
SELECT is(pg_temp.claim('a', '{q40}', 40), NULL, 'the lost agent');
SELECT is(pg_temp.claim('b', '{q40}', 40), 40, 'and the others are told apart as ever');
SELECT is(pg_temp.finish(40, '{"test": 1}', 'b'), 'waiting', 'once more');
SELECT api.cancel_job(pg_temp.id(40), NULL);
SELECT is(pg_temp.state(40), 'cancelled', 'it can be cancelled meanwhile');
SELECT pg_temp.start(41, '{"max": 2, "backoff": 60}') \g /dev/null
SELECT is(pg_temp.lose(41, 'test'), 'retry', 'a job that waits for its next attempt');
SELECT is(pg_temp.finish(41, '{"test": 0}'), 'complete passed', 'ends by the late result of the last one');

-- queues
SELECT throws_ok($$ SELECT tfx.set_queue_policy('off', '{"stop_after_s": 1}') $$, 'TF422', NULL, 'a time without sense');
SELECT tfx.set_queue_policy('off', '{"retry": false}'), tfx.set_queue_policy('off', '{"stop_after_s": 90, "lease_max_s": 40}') \g /dev/null
SELECT results_eq('SELECT queue::text COLLATE "default", retry, stop_after_s, lease_max_s FROM tfx.list_queue_policies()', $$ VALUES ('off'::text, false, 90, 40) $$, 'what is set is listed');
SELECT pg_temp.submit(50, '{"queue": "off", "retry": {"max": 5}}') \g /dev/null
SELECT is((SELECT body::json #>> '{lease,seconds}' || ' ' || (body::json #>> '{lease,stop_after}') FROM pg_temp.claim_all(jsonb_build_array(
    jsonb_build_object('agent', 'a', 'queues', ARRAY['off'], 'token', pg_temp.id(950), 'lease', 600)))), '40 90',
    'an agent gets what the queue allows');
SELECT api.renew_lease(pg_temp.id(50), 'a', pg_temp.id(950)::text), pg_temp.age(50, '1 h') \g /dev/null
SELECT is((SELECT string_agg(reason, ' ') FROM tfx.reap_leases(9)), 'agent_lost', 'where nothing is tried again');
SELECT tfx.set_queue_policy('off', '{}') \g /dev/null
SELECT is_empty('SELECT * FROM tfx.list_queue_policies()', 'nothing special any more');

-- jobs that do not want to wait for ever
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'w' || n, 'max_wait', 60, 'hold', n = 61)) FROM generate_series(60, 65) n \g /dev/null
CREATE FUNCTION pg_temp.wait_long(n int) RETURNS void LANGUAGE sql AS
    $$ UPDATE tf.deadline SET since = since - interval '2 min', at = at - interval '2 min' WHERE job_id = pg_temp.id(n) $$;
SELECT is(cardinality(tfx.expire_jobs(9)), 0, 'it is not time');
SELECT pg_temp.wait_long(60), pg_temp.wait_long(61) \g /dev/null
SELECT is(cardinality(tfx.expire_jobs(1)), 1, 'not too many at a time');
SELECT is(cardinality(tfx.expire_jobs(9)), 1, 'until all are over');
SELECT is(pg_temp.state(n) || ' ' || pg_temp.outcome(n), 'complete expired', 'waiting or held') FROM generate_series(60, 61) n;
SELECT is(pg_temp.claim('a', '{w62}', 62), 62, 'one that is claimed');
SELECT pg_temp.wait_long(62) \g /dev/null
SELECT is(cardinality(tfx.expire_jobs(9)), 0, 'does not wait');
SELECT ctid, at FROM tf.deadline WHERE job_id = pg_temp.id(62) \gset before_
SELECT is(cardinality(tfx.expire_jobs(9)), 0, 'and is not looked at again');
SELECT results_eq('SELECT ctid, at FROM tf.deadline WHERE job_id = pg_temp.id(62)',
    format($$ VALUES (%L::tid, 'infinity'::timestamptz) $$, :'before_ctid'), 'so nothing is written while it runs');
SELECT pg_temp.age(62, '2 min'), tfx.reap_leases(9) \g /dev/null
SELECT is(cardinality(tfx.expire_jobs(9)), 1, 'unless the claim comes back: it has waited all the time');
SELECT is(pg_temp.claim('a', '{w63}', 63), 63, 'one that ran');
SELECT pg_temp.wait_long(63) \g /dev/null
UPDATE tf.agent SET queues = queues || '{w63}'::text[];
SELECT is(pg_temp.lose(63, 'setup'), 'retry', 'and is tried again');
SELECT is(cardinality(tfx.expire_jobs(9)), 0, 'waits anew');
SELECT pg_temp.wait_long(63) \g /dev/null
SELECT is(cardinality(tfx.expire_jobs(9)), 1, 'for as long');
SELECT is(pg_temp.claim('a', '{w64}', 64), 64, 'one that ends');
SELECT is(pg_temp.finish(64, '{"test": 0}'), 'complete passed', 'has no deadline');
SELECT results_eq('SELECT job_id FROM tf.deadline', $$ VALUES (pg_temp.id(65)) $$, 'any more');

-- a job that is in none of the tables, as after a restore: the others go on without it
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'lost', 'max_wait', 60)) FROM generate_series(70, 71) n \g /dev/null
SELECT pg_temp.wait_long(n) FROM generate_series(70, 71) n \g /dev/null
DELETE FROM tf.wait WHERE job_id = pg_temp.id(70);
SELECT is(cardinality(tfx.expire_jobs(1)), 0, 'one that cannot be met');
SELECT is(cardinality(tfx.expire_jobs(1)), 1, 'is not in the way of the next');
SELECT throws_ok('SELECT api.cancel_job(pg_temp.id(70), NULL)', 'TF503', NULL, 'who wants that one hears of it');
SELECT throws_ok($$ SELECT pg_temp.post(70, 'setup') $$, 'TF503', NULL, 'its agent too');
SELECT pg_temp.submit(72, '{"queue": "lost"}'), api.cancel_job(pg_temp.id(72), NULL) \g /dev/null
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'lost', 'parent', pg_temp.id(72), 'parent_id', pg_temp.id(72)))
    FROM generate_series(73, 74) n \g /dev/null
DELETE FROM tf.wait WHERE job_id = pg_temp.id(73);
SELECT is(cardinality(tfx.cancel_orphans(1)), 1, 'nor of other orphans');
SELECT is(pg_temp.state(74), 'cancelled', 'whose parent was cancelled');
\ir lib/end.psql
