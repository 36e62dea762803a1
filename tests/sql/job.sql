-- SPDX-License-Identifier: GPL-3.0-or-later
-- Submission, definition, position, cancel, attachments: api functions about waiting jobs.
\ir lib/begin.psql

-- submit_job
SELECT results_eq($$ SELECT job_id, created FROM api.submit_job('{"job_queue": "q", "n": 1.0}',
    '{"queue": "q", "new_id": "00000000-0000-7000-8000-000000000001", "sha256": "aa"}') $$,
    $$ VALUES ('00000000-0000-7000-8000-000000000001', true) $$, 'a new job gets the id made for it');
SELECT is(pg_temp.submit(1, '{"sha256": "aa"}'), false, 'the same definition again is the same job');
SELECT throws_ok($$ SELECT pg_temp.submit(1, '{"sha256": "ab"}') $$, 'TF409',
    'job "00000000-0000-7000-8000-000000000001" exists with another definition',
    'another definition under the id is refused');
SELECT throws_ok($$ SELECT pg_temp.submit(1, '{"sha256": "aa", "client_id": "c"}') $$, 'TF409',
    NULL, 'and so is another caller with the same definition');
SELECT is((SELECT count(*) FROM tf.wait), 1::bigint, 'the queue holds it once');
SELECT is((SELECT count(*) FROM tf.event), 1::bigint, 'and its submission was written down once');
SELECT throws_ok($$ SELECT pg_temp.submit(2, '{"id_bad": true}') $$, 'TF400', NULL,
    'an id that is no UUID is refused');
SELECT throws_ok($$ SELECT pg_temp.submit(2, '{"exclude_agents": ["a"], "id_bad": true}') $$,
    'TF422', NULL, 'nobody left to run it comes before the bad id');
SELECT api.post_agent('a', '{"queues": ["q"]}', NULL);
SELECT throws_ok($$ SELECT pg_temp.submit(2, '{"exclude_agents": ["a"]}') $$, 'TF422', NULL,
    'the only agent of the queue is excluded');
SELECT api.post_agent('b', '{"queues": ["q"]}', NULL);
SELECT is(pg_temp.submit(2, '{"exclude_agents": ["a", "zzz"]}'), true, 'another agent is left');
SELECT throws_ok($$ SELECT pg_temp.submit(3, '{"priority": 1}') $$, 'TF401', NULL,
    'an anonymous caller has no priority');
SELECT throws_ok($$ SELECT pg_temp.submit(3, '{"priority": -1}') $$, 'TF401', NULL,
    'not even a low one');
SELECT throws_ok($$ SELECT pg_temp.submit(3, '{"priority": 6, "authenticated": true, "max_priority": 5}') $$,
    'TF403', NULL, 'a client has no more priority than allowed');
SELECT is(pg_temp.submit(3, '{"priority": 5, "authenticated": true, "max_priority": 5,
    "client_id": "c", "name": "n", "parent": "p", "tags": ["t", "u", "t"]}'), true, 'but that much');
SELECT is(pg_temp.submit(4, '{"priority": -9223372036854775808, "authenticated": true}'), true,
    'the lowest priority there is');
SELECT results_eq('SELECT tag::name, job_id FROM tf.job_tag ORDER BY tag',
    $$ VALUES ('t'::name, pg_temp.id(3)), ('u', pg_temp.id(3)) $$, 'tags are kept once');
SELECT throws_ok($$ SELECT pg_temp.submit(5, jsonb_build_object('tags', ARRAY[repeat('x', 1001)])) $$,
    'TF422', NULL, 'a tag may not be too long for an index');
INSERT INTO tf.restricted_queue VALUES ('closed');
SELECT throws_ok($$ SELECT pg_temp.submit(5, '{"queue": "closed"}') $$, 'TF401', NULL,
    'a restricted queue needs a login');
SELECT throws_ok($$ SELECT pg_temp.submit(5, '{"queue": "closed", "authenticated": true}') $$,
    'TF403', NULL, 'of one of its owners');
SELECT is(pg_temp.submit(5, '{"queue": "closed", "authenticated": true, "queue_allowed": true}'),
    true, 'who may use it');
SELECT throws_ok($$ SELECT pg_temp.submit(6, '{"has_reservation": true, "reserve_timeout": 21601}') $$,
    'TF401', NULL, 'a long reservation needs a login');
SELECT throws_ok($$ SELECT pg_temp.submit(6, '{"has_reservation": true, "reserve_timeout": 21601,
    "authenticated": true, "max_reservation": 21600}') $$, 'TF403', NULL, 'and permission');
SELECT is(pg_temp.submit(6, '{"has_reservation": true, "reserve_timeout": 21600}'), true,
    'six hours are for everybody');

-- submissions with a key: take_key, purge_submission_keys
SELECT is(pg_temp.submit(20, '{"queue": "k", "key": "one", "key_sha256": "01"}'), true, 'the first with its key');
SELECT results_eq($$ SELECT job_id, created FROM api.submit_job('{}', '{"queue": "k", "key": "one",
    "key_sha256": "01", "sha256": "00", "new_id": "00000000-0000-7000-8000-000000000021"}') $$,
    $$ VALUES ('00000000-0000-7000-8000-000000000020', false) $$, 'the same again is the first job');
SELECT throws_ok($$ SELECT pg_temp.submit(21, '{"queue": "k", "key": "one", "key_sha256": "02"}') $$,
    'TF422', NULL, 'another body under the key is refused');
SELECT is(pg_temp.submit(21, '{"queue": "k", "key": "one", "key_sha256": "02", "client_id": "c"}'), true,
    'each caller has keys of its own');
SELECT throws_ok($$ SELECT pg_temp.submit(22, '{"queue": "k", "priority": 1, "key": "two", "key_sha256": "03"}') $$,
    'TF401', NULL, 'a submission that is refused');
SELECT is(pg_temp.submit(22, '{"queue": "k", "key": "two", "key_sha256": "04"}'), true, 'leaves its key free');
INSERT INTO tf.restricted_queue VALUES ('k');
SELECT is(pg_temp.submit(20, '{"queue": "k", "key": "one", "key_sha256": "01"}'), false,
    'a repetition is answered though it would be refused today');
DELETE FROM tf.restricted_queue WHERE queue = 'k';
SELECT is(tfx.purge_submission_keys(10), 0, 'young keys stay');
UPDATE tf.submission_key SET created_at = now() - interval '24 h';
SELECT is(pg_temp.submit(23, '{"queue": "k", "key": "one", "key_sha256": "05"}'), true,
    'after a day a key is free again');
SELECT is(pg_temp.submit(23, '{"queue": "k", "key": "one", "key_sha256": "05"}'), false, 'for a day');
SELECT results_eq($$ SELECT tfx.purge_submission_keys(1 + 0 * n) FROM generate_series(1, 3) n $$,
    $$ VALUES (1), (1), (0) $$, 'the others are forgotten, a bounded number at a time');
SELECT is((SELECT count(*) FROM tf.wait WHERE queue = 'k'), 4::bigint, 'each job is there once');

-- get_job
SELECT is((SELECT body::jsonb FROM api.get_job(pg_temp.id(1))), jsonb_build_object('job_queue', 'q',
    'n', 1.0, 'job_id', pg_temp.id(1)), 'the definition is read with its id');
SELECT is((SELECT body FROM api.get_job(pg_temp.id(1))),
    '{"job_queue": "q", "n": 1.0, "job_id": "00000000-0000-7000-8000-000000000001"}',
    'token for token');
SELECT is_empty($$ SELECT body FROM api.get_job(pg_temp.id(99)) $$, 'an unknown job has no row');

-- get_job_position
SELECT is((SELECT "position" FROM api.get_job_position(pg_temp.id(3))), 0::bigint,
    'the highest priority is next');
SELECT is((SELECT "position" FROM api.get_job_position(pg_temp.id(1))), 1::bigint, 'then the oldest');
SELECT is((SELECT "position" FROM api.get_job_position(pg_temp.id(4))), 4::bigint,
    'the lowest priority is last');
SELECT throws_ok($$ SELECT api.get_job_position(pg_temp.id(99)) $$, 'TF410', NULL, 'unknown job');

-- held jobs: ready_job
SELECT is(pg_temp.submit(10, '{"queue": "h", "hold": true}'), true, 'a job with attachments');
SELECT is(pg_temp.submit(11, '{"queue": "h"}'), true, 'and one after it');
SELECT is((SELECT "position" FROM api.get_job_position(pg_temp.id(11))), 1::bigint,
    'a held job counts in positions');
SELECT is((SELECT "position" FROM api.get_job_position(pg_temp.id(10))), 0::bigint, 'and has one');
SELECT is(pg_temp.state(10), 'waiting', 'and shows as waiting');
SELECT is(tfx.ready_job(pg_temp.id(10)), true, 'it becomes ready');
SELECT is(tfx.ready_job(pg_temp.id(10)), false, 'once');
SELECT is(pg_temp.claim('a', '{h}'), 10, 'and is handed out at its own place');
SELECT is(tfx.ready_job(pg_temp.id(99)), false, 'an unknown job is never ready');

-- cancel_job
SELECT lives_ok($$ SELECT api.cancel_job(pg_temp.id(1), 'c') $$, 'a waiting job is cancelled');
SELECT is(pg_temp.state(1), 'cancelled', 'and shows it');
SELECT is(pg_temp.outcome(1), 'cancelled', 'with that outcome');
SELECT is((SELECT who FROM tf.event WHERE job_id = pg_temp.id(1) AND event = 'cancel'), 'c',
    'and it is known by whom');
SELECT throws_ok($$ SELECT api.cancel_job(pg_temp.id(1), 'c') $$, 'TF400', NULL, 'only once');
SELECT throws_ok($$ SELECT api.cancel_job(pg_temp.id(99), NULL) $$, 'TF400', NULL, 'never an unknown one');
SELECT throws_ok($$ SELECT api.get_job_position(pg_temp.id(1)) $$, 'TF410', NULL,
    'a cancelled job has no position');
SELECT lives_ok($$ SELECT api.cancel_job(pg_temp.id(10), NULL) $$, 'a running job is cancelled');
SELECT is((SELECT reason FROM tf.attempt WHERE job_id = pg_temp.id(10)), 'cancelled',
    'and with it its attempt');
SELECT is(tfx.add_members(' { } ', '"a": 1'), '{"a": 1}', 'members are added to an empty object');
SELECT is(tfx.add_members(E'{"x": {}\n}\n', '"a": 1'), '{"x": {}, "a": 1}', 'and to any other');

-- status
CREATE FUNCTION pg_temp.status(n int, p_agent text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT body::jsonb FROM api.get_job_status(pg_temp.id(n), p_agent) $$;
SELECT is_empty($$ SELECT * FROM api.get_job_status(pg_temp.id(99), NULL) $$, 'an unknown job has no status');
SELECT pg_temp.submit(81, '{"queue": "s"}'), pg_temp.submit(82, '{"queue": "s", "hold": true}'),
    pg_temp.submit(83, '{"queue": "s"}') \g /dev/null
SELECT is(pg_temp.status(81) - '{job_id,created_at,version}'::text[],
    '{"job_queue": "s", "job_state": "waiting", "outcome": null, "phase": null, "exit_codes": {},
      "agent": null, "attempt": 0, "waits_for": "agent", "waiting_because": "no_agent", "started_at": null, "finished_at": null,
      "position": 0, "estimated_wait": null}', 'a waiting job');
SELECT is(pg_temp.status(82) ->> 'waits_for', 'attachments', 'a held job waits for its attachments');
SELECT is(pg_temp.status(82) ->> 'waiting_because', 'attachments', 'and says so');
SELECT is(pg_temp.status(83) -> 'position', '2', 'waiting and held jobs are before it');
CREATE TEMPORARY TABLE status_83 AS SELECT pg_temp.status(83) AS it;
SELECT is(pg_temp.claim('s-1', '{s}', 81), 81, 'the first is claimed');
SELECT is(pg_temp.status(83) -> 'position', '1', 'the others move up');
SELECT is(pg_temp.status(83) - 'position', (SELECT it - 'position' FROM status_83), 'and nothing else of them changes');
SELECT pg_temp.post(81, 'provision', 's-1', '{"setup": 0}');
SELECT is(pg_temp.status(81) - '{job_id,created_at,started_at,version}'::text[],
    '{"job_queue": "s", "job_state": "provision", "outcome": null, "phase": "provision",
      "exit_codes": {"setup": 0}, "agent": "s-1", "attempt": 1, "waits_for": null, "waiting_because": null,
      "finished_at": null, "position": null, "estimated_wait": null}', 'a running job');
SELECT ok(pg_temp.status(81) ->> 'started_at' IS NOT NULL, 'with the time it began');
SELECT pg_temp.post(81, 'complete', 's-1', '{"setup": 0, "provision": 7}');
SELECT is(pg_temp.status(81) - '{job_id,created_at,started_at,finished_at,version}'::text[],
    '{"job_queue": "s", "job_state": "complete", "outcome": "infra_failed", "phase": null,
      "exit_codes": {"setup": 0, "provision": 7}, "agent": "s-1", "attempt": 1, "waits_for": null, "waiting_because": null,
      "position": null, "estimated_wait": null}', 'a finished job');
SELECT is(pg_temp.claim('s-1', '{s}', 83), 83, 'another is claimed');
SELECT pg_temp.age(83, '1 h') \g /dev/null
SELECT tfx.reap_leases(9) \g /dev/null
SELECT is(pg_temp.status(83) ->> 'job_state', 'waiting', 'and lost');
SELECT is(pg_temp.claim('s-2', '{s}', 84), 83, 'and claimed again');
SELECT is(pg_temp.status(83, 's-1') ->> 'job_state', 'cancelled', 'the agent that lost it reads that it is cancelled');
SELECT is(pg_temp.status(83, 's-2') ->> 'job_state', 'running', 'the other one not');
SELECT ok(pg_temp.status(83, 's-1') -> 'version' <> pg_temp.status(83) -> 'version', 'which is another version');

-- and how long it may wait for its turn
SELECT pg_temp.submit(n, '{"queue": "e"}') FROM generate_series(91, 93) n \g /dev/null
CREATE FUNCTION pg_temp.estimate(n int) RETURNS int LANGUAGE sql AS $$ SELECT (pg_temp.status(n) ->> 'estimated_wait')::int $$;
CREATE FUNCTION pg_temp.claimed(p_ago int, p_waited int) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO tf.wait_sample VALUES ('e', now() - make_interval(secs => p_ago), p_waited) $$;
SELECT pg_temp.claimed(900, 40);
SELECT is(pg_temp.estimate(91), NULL, 'nobody knows when no agent is there');
INSERT INTO tf.agent (name, state, queues) VALUES ('e-1', 'test', '{e}');
SELECT is(pg_temp.estimate(91), 40, 'as long as the one before');
SELECT is(pg_temp.estimate(93), 120, 'and those ahead of it');
SELECT pg_temp.claimed(800, 150), pg_temp.claimed(700, 250), pg_temp.claimed(600, 350);
SELECT is(pg_temp.estimate(93), 300, 'in a queue that never was empty claims come at intervals');
SELECT pg_temp.claimed(300, 0), pg_temp.claimed(200, 0), pg_temp.claimed(100, 0);
SELECT is(pg_temp.estimate(93), 150, 'where an agent was free jobs did not wait, whatever the intervals');
CREATE TEMPORARY TABLE status_93 AS SELECT pg_temp.status(93) AS it;
SELECT pg_temp.claimed(50, 10);
SELECT is(pg_temp.status(93) - 'estimated_wait', (SELECT it - 'estimated_wait' FROM status_93),
    'which does not change when the estimate does');
UPDATE tf.agent SET state = 'offline' WHERE name = 'e-1';
SELECT is(pg_temp.estimate(93), NULL, 'an agent that is away takes no jobs');
SELECT is((SELECT "position" FROM api.get_job_position(pg_temp.id(93))), 2::bigint, 'the position is what it was');

-- children
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'p' || n)) FROM generate_series(600, 602) n \g /dev/null
SELECT pg_temp.claim('p' || n, ARRAY['p' || n], n - 500), pg_temp.post(n, 'test', 'p' || n) FROM generate_series(600, 602) n \g /dev/null
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'child', 'parent', 'x', 'parent_id', pg_temp.id(600 + n % 3), 'hold', n > 620))
    FROM generate_series(610, 624) n \g /dev/null
SELECT pg_temp.submit(625, '{"queue": "child", "parent": "no id"}'),
    pg_temp.submit(626, jsonb_build_object('queue', 'child', 'parent_id', pg_temp.id(699))) \g /dev/null
SELECT is(pg_temp.claim('c', '{child}', 1), 610, 'a child runs');
SELECT is(cardinality(tfx.cancel_orphans(10)), 0, 'while their parents live, children do');
SELECT api.cancel_job(pg_temp.id(601), 'me');
SELECT is(cardinality(tfx.cancel_orphans(2)), 2, 'when one is cancelled its children are, so many at a time');
SELECT is(cardinality(tfx.cancel_orphans(10)), 3, 'until all are');
SELECT is((SELECT string_agg(right(id::text, 3), ',' ORDER BY id) FROM tf.job WHERE queue = 'child' AND outcome = 'cancelled'),
    '610,613,616,619,622', 'running, waiting and held ones');
SELECT is((SELECT who FROM tf.event WHERE job_id = pg_temp.id(613) AND event = 'cancel'), 'job ' || pg_temp.id(601),
    'and it is on record why');
SELECT pg_temp.age(602, '1 h'), tfx.reap_leases(9) \g /dev/null
SELECT is(cardinality(tfx.cancel_orphans(10)), 5, 'when its agent is lost, too');
SELECT pg_temp.post(600, 'complete', 'p600', '{"test": 1}');
SELECT is(cardinality(tfx.cancel_orphans(10)), 0, 'when it ends as it should they are its own concern');
SELECT pg_temp.submit(627, jsonb_build_object('queue', 'child', 'parent_id', pg_temp.id(601)));
SELECT is(cardinality(tfx.cancel_orphans(10)), 1, 'a child submitted later does not live long');
SELECT pg_temp.submit(603, '{"queue": "p603"}'), pg_temp.claim('p603', '{p603}', 3), pg_temp.post(603, 'setup', 'p603') \g /dev/null
SELECT pg_temp.submit(628, jsonb_build_object('queue', 'child', 'parent_id', pg_temp.id(603))) \g /dev/null
UPDATE tf.job SET created_at = created_at - interval '1 s' WHERE id = pg_temp.id(628);
SELECT pg_temp.age(603, '1 h'), tfx.reap_leases(9) \g /dev/null
SELECT is(cardinality(tfx.cancel_orphans(10)), 1, 'a parent that is tried again makes new ones');
\ir lib/end.psql
