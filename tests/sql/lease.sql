-- SPDX-License-Identifier: GPL-3.0-or-later
-- Signs of life, renewal, and the end of leases.
\ir lib/begin.psql
SELECT pg_temp.spare('q', 'b') \g /dev/null
SELECT pg_temp.submit(n, '{"global_timeout": 3600}') FROM generate_series(1, 9) n \g /dev/null
CREATE FUNCTION pg_temp.reap() RETURNS SETOF text LANGUAGE sql AS
    $$ SELECT right(job_id, 12)::int || ' ' || reason FROM tfx.reap_leases(100) ORDER BY 1 $$;
-- To tens of seconds: a claim has a moment of its own, later than that of this transaction.
CREATE FUNCTION pg_temp.left_s(n int) RETURNS int LANGUAGE sql AS
    $$ SELECT round(extract(epoch FROM lease_until - now()), -1)::int FROM tf.lease WHERE job_id = pg_temp.id(n) $$;

-- renew_lease
SELECT throws_ok($$ SELECT api.renew_lease(pg_temp.id(99), 'a', NULL) $$, 'TF404', NULL, 'unknown job');
SELECT is(pg_temp.claim('a', '{q}', 1, '{"lease": 60}'), 1, 'a lease of 60 s');
SELECT is(pg_temp.left_s(1), 60, 'lives 60 s');
SELECT pg_temp.age(1, '50 s') \g /dev/null
SELECT results_eq($$ SELECT job_state, cancelled, expires_at IS NOT NULL
    FROM api.renew_lease(pg_temp.id(1), 'a', pg_temp.id(901)::text) $$,
    $$ VALUES ('running', false, true) $$, 'is renewed by its token');
SELECT is(pg_temp.left_s(1), 60, 'for as long again');
SELECT throws_ok($$ SELECT api.renew_lease(pg_temp.id(1), 'a', pg_temp.id(902)::text) $$, 'TF409', NULL,
    'not by another');
SELECT throws_ok($$ SELECT api.renew_lease(pg_temp.id(1), 'a', 'rubbish') $$, 'TF409', NULL, 'nor by rubbish');
SELECT throws_ok($$ SELECT api.renew_lease(pg_temp.id(1), 'a', NULL) $$, 'TF409', NULL, 'nor by the name alone');
SELECT is(pg_temp.claim('b', '{q}', 2), 2, 'an agent without leases');
SELECT pg_temp.age(2, '50 s') \g /dev/null
SELECT lives_ok($$ SELECT api.renew_lease(pg_temp.id(2), 'b', NULL) $$, 'renews by its name');
SELECT throws_ok($$ SELECT api.renew_lease(pg_temp.id(2), 'c', NULL) $$, 'TF409', NULL, 'nobody else does');
SELECT api.cancel_job(pg_temp.id(1), NULL);
SELECT results_eq($$ SELECT job_state, cancelled, expires_at
    FROM api.renew_lease(pg_temp.id(1), 'a', pg_temp.id(901)::text) $$,
    $$ VALUES ('cancelled', true, NULL) $$, 'after a cancel the agent learns of it');

-- touch_job
SELECT throws_ok($$ SELECT api.touch_job(pg_temp.id(99), 'a', NULL) $$, 'TF404', NULL, 'unknown job');
SELECT throws_ok($$ SELECT api.touch_job(pg_temp.id(2), 'b', pg_temp.id(999)::text) $$, 'TF409', NULL,
    'a stale token');
SELECT throws_ok($$ SELECT api.touch_job(pg_temp.id(9), 'b', 'rubbish') $$, 'TF409', NULL,
    'any token of a job nobody has');
SELECT lives_ok($$ SELECT api.touch_job(pg_temp.id(9), 'b', NULL) $$, 'a waiting job is fine');
SELECT pg_temp.age(2, '100 s') \g /dev/null
SELECT api.touch_job(pg_temp.id(2), 'stranger', NULL);
SELECT is(pg_temp.left_s(2), 20, 'a stranger keeps no lease');
SELECT api.touch_job(pg_temp.id(2), 'b', NULL);
SELECT is(pg_temp.left_s(2), 120, 'its agent does');

-- questions of an agent
SELECT pg_temp.submit(30, '{"queue": "z"}') \g /dev/null
SELECT is(pg_temp.claim('g', '{z}', 10, '{"lease": 60}'), 30, 'an agent with a lease');
SELECT pg_temp.age(30, '50 s') \g /dev/null
SELECT results_eq($$ SELECT job_state FROM api.read_result(pg_temp.id(30), 'g', NULL, pg_temp.id(910)::text) $$,
    $$ VALUES ('running') $$, 'reads its job');
SELECT is(pg_temp.left_s(30), 60, 'and keeps it by that');
SELECT pg_temp.age(30, '50 s') \g /dev/null
SELECT ok((SELECT body IS NOT NULL FROM api.get_job_status(pg_temp.id(30), 'g', pg_temp.id(910)::text)),
    'as by its status');
SELECT is(pg_temp.left_s(30), 60, 'again');
SELECT pg_temp.age(30, '50 s') \g /dev/null
SELECT is_empty($$ SELECT * FROM api.get_file(pg_temp.id(30), 'attachments', 'g', pg_temp.id(910)::text) $$,
    'and as by its attachments');
SELECT is(pg_temp.left_s(30), 60, 'for its own time');
SELECT throws_ok($$ SELECT * FROM api.read_result(pg_temp.id(30), 'g', NULL, pg_temp.id(911)::text) $$,
    'TF409', NULL, 'a stale token reads no result');
SELECT throws_ok($$ SELECT * FROM api.get_job_status(pg_temp.id(30), 'g', pg_temp.id(911)::text) $$,
    'TF409', NULL, 'no status');
SELECT throws_ok($$ SELECT * FROM api.get_file(pg_temp.id(30), 'attachments', 'g', pg_temp.id(911)::text) $$,
    'TF409', NULL, 'no attachments');
SELECT pg_temp.age(30, '50 s') \g /dev/null
SELECT is((SELECT count(*) FROM api.read_result(pg_temp.id(30), 'g', NULL)), 1::bigint, 'without it');
SELECT is(pg_temp.left_s(30), 10, 'nothing is kept');
SELECT pg_temp.post(30, 'complete', 'g') \g /dev/null

-- signs of life
SELECT is(pg_temp.left_s(2), 120, 'two minutes while it runs');
SELECT pg_temp.post(2, 'provision', 'b');
SELECT is(pg_temp.left_s(2), 4200, 'a provision has the job''s own limit and ten minutes');
SELECT pg_temp.post(2, 'test', 'b');
SELECT is(pg_temp.left_s(2), 120, 'a test is never silent for long when it has no limit');
SELECT pg_temp.age(2, '10 s') \g /dev/null
SELECT api.post_log(pg_temp.id(2), 'b', NULL, 'output', 'test', 1, now(), 'x');
SELECT is(pg_temp.left_s(2), 110, 'more than two thirds left: nothing is written');
SELECT pg_temp.age(2, '40 s') \g /dev/null
SELECT * FROM api.read_result(pg_temp.id(2), NULL, NULL) \g /dev/null
SELECT * FROM api.read_result(pg_temp.id(2), 'c', NULL) \g /dev/null
SELECT is(pg_temp.left_s(2), 70, 'users and other agents do not renew');
SELECT * FROM api.read_result(pg_temp.id(2), 'b', NULL) \g /dev/null
SELECT is(pg_temp.left_s(2), 120, 'the agent does by looking');
SELECT is(pg_temp.claim('c', '{q}', 3, '{"lease": 60}'), 3, 'with a lease of its own');
SELECT pg_temp.age(3, '50 s') \g /dev/null
SELECT pg_temp.post(3, 'setup', 'c');
SELECT is(pg_temp.left_s(3), 10, 'a post without the token does not renew');
SELECT is((SELECT confirmed IS NOT NULL FROM tf.lease WHERE job_id = pg_temp.id(3)), true, 'but confirms');
SELECT api.post_log(pg_temp.id(3), 'c', pg_temp.id(903)::text, 'output', 'setup', 1, now(), 'x');
SELECT is(pg_temp.left_s(3), 60, 'with the token it renews');

-- reap_leases
SELECT is_empty('SELECT pg_temp.reap()', 'nothing is over');
SELECT is(pg_temp.claim('d', '{q}', 4), 4, 'a claim nobody answers for');
SELECT pg_temp.age(4, '2 min') \g /dev/null
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('4 undelivered') $$, 'is over after a minute');
SELECT is(pg_temp.state(4), 'waiting', 'the job waits again');
SELECT is(pg_temp.claim('d', '{q}', 5), 4, 'for the same agent too, at its old place');
SELECT pg_temp.post(4, 'provision', 'd');
SELECT pg_temp.age(4, '2 h') \g /dev/null
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('4 retry') $$, 'an agent lost before the test');
SELECT is(pg_temp.state(4), 'waiting', 'gives the job another try');
SELECT is(pg_temp.claim('d', '{q}', 6), 5, 'but not with itself');
SELECT is(pg_temp.claim('e', '{q}', 7), 4, 'with another agent');
SELECT is((SELECT job_state FROM api.read_result(pg_temp.id(4), 'd', NULL)), 'cancelled',
    'the lost agent reads that it is to stop');
SELECT is(pg_temp.state(4), 'running', 'everybody else that the job runs');
SELECT pg_temp.post(4, 'setup', 'e');
SELECT pg_temp.age(4, '2 h') \g /dev/null
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('4 agent_lost') $$, 'a second loss ends the job');
SELECT is(pg_temp.state(4), 'complete', 'as complete');
SELECT is(pg_temp.outcome(4), 'agent_lost', 'with the outcome that its agent was lost');
SELECT results_eq($$ SELECT attempt, agent, reason FROM tf.attempt WHERE job_id = pg_temp.id(4) ORDER BY 1 $$,
    $$ VALUES (1, 'd' COLLATE "C", 'undelivered'), (2, 'd', 'agent_lost'), (3, 'e', 'agent_lost') $$,
    'all its attempts are on record');
SELECT pg_temp.post(4, 'complete', 'd', '{"test": 0}');
SELECT is(pg_temp.outcome(4), 'agent_lost', 'a late result of an older attempt changes nothing');
SELECT pg_temp.post(4, 'complete', 'e', '{"test": 1}');
SELECT is(pg_temp.outcome(4), 'failed', 'one of the newest attempt corrects the outcome');
SELECT pg_temp.post(4, 'complete', 'e', '{"test": 0}');
SELECT is(pg_temp.outcome(4), 'failed', 'once');
SELECT pg_temp.post(2, 'test', 'b');
SELECT pg_temp.age(2, '2 h') \g /dev/null
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('2 agent_lost') $$, 'lost in the test: no second try');
UPDATE tf.job SET finished_at = finished_at - interval '25 h' WHERE id = pg_temp.id(2);
SELECT pg_temp.post(2, 'complete', 'b', '{"test": 0}');
SELECT is(pg_temp.outcome(2), 'agent_lost', 'after a day nothing is corrected');
SELECT is(pg_temp.claim('f', '{q}', 8, '{"lease": 60}'), 6, 'an agent with leases');
SELECT api.renew_lease(pg_temp.id(6), 'f', pg_temp.id(908)::text) \g /dev/null
SELECT pg_temp.age(6, '2 h') \g /dev/null
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('6 retry') $$, 'that is lost');
SELECT is(pg_temp.claim('f', '{q}', 9, '{"lease": 60}'), 6, 'may have the job again');
SELECT pg_temp.age(3, '2 h'), pg_temp.age(5, '2 h'), pg_temp.age(6, '2 h') \g /dev/null
SELECT is((SELECT count(*) FROM tfx.reap_leases(2)), 2::bigint, 'no more than asked for at a time');
SELECT is((SELECT count(*) FROM tfx.reap_leases(2)), 1::bigint, 'the rest next time');
SELECT is((SELECT count(*) FROM tfx.reap_leases(0)), 0::bigint, 'or none');

-- cancelled while an agent has it
SELECT pg_temp.submit(n, '{"queue": "c"}') FROM generate_series(40, 45) n \g /dev/null
SELECT is(pg_temp.claim('h', '{c}', 40), 40, 'an agent without leases');
SELECT pg_temp.post(40, 'provision', 'h');
SELECT api.cancel_job(pg_temp.id(40), 'me');
SELECT is(pg_temp.state(40), 'cancelled', 'its job is cancelled for everybody at once');
SELECT is(pg_temp.outcome(40), 'cancelled', 'for good');
SELECT throws_ok($$ SELECT api.cancel_job(pg_temp.id(40), 'me') $$, 'TF400', NULL, 'once');
SELECT is(tfx.list_living('c'), ARRAY(SELECT seq FROM tf.job WHERE id BETWEEN pg_temp.id(41) AND pg_temp.id(45)),
    'it lives no more');
CREATE FUNCTION pg_temp.is_busy(n int) RETURNS boolean LANGUAGE sql AS
    $$ SELECT EXISTS (SELECT FROM tf.lease WHERE job_id = pg_temp.id(n)) $$;
SELECT ok(pg_temp.is_busy(40), 'but its agent is busy with it');
SELECT * FROM api.read_result(pg_temp.id(40), NULL, NULL) \g /dev/null
SELECT * FROM api.read_result(pg_temp.id(40), 'stranger', NULL) \g /dev/null
SELECT pg_temp.post(40, 'test', 'h');
SELECT api.post_log(pg_temp.id(40), 'h', NULL, 'output', 'test', 1, now(), 'x');
SELECT ok(pg_temp.is_busy(40), 'as long as it does not know');
SELECT is(pg_temp.state(40), 'cancelled', 'whatever it posts');
SELECT is((SELECT body::json ->> 'phase' FROM api.get_job_status(pg_temp.id(40), NULL)), NULL, 'it has no phase any more');
SELECT is((SELECT job_state FROM api.read_result(pg_temp.id(40), 'h', NULL)), 'cancelled', 'when it reads of it');
SELECT ok(NOT pg_temp.is_busy(40), 'it is free');
SELECT results_eq($$ SELECT event, to_state FROM tf.event WHERE job_id = pg_temp.id(40) ORDER BY id $$,
    $$ VALUES ('submit', 'waiting'), ('claim', 'running'), ('cancel', 'cancelling'), ('confirm', 'cancelled') $$,
    'and that is on record');
SELECT is(pg_temp.claim('h', '{c}', 41, '{"lease": 60}'), 41, 'an agent with leases');
SELECT api.cancel_job(pg_temp.id(41), 'me');
SELECT is_empty($$ SELECT * FROM api.claims_of(ARRAY[pg_temp.id(941)]) $$, 'nobody gets it by asking again');
SELECT pg_temp.age(41, '20 s') \g /dev/null
SELECT is(pg_temp.claim('h', '{c}', 42, '{"lease": 60}'), 42, 'nor is it offered again');
SELECT * FROM api.read_result(pg_temp.id(41), 'h', NULL) \g /dev/null
SELECT ok(pg_temp.is_busy(41), 'its name alone confirms nothing');
SELECT * FROM api.get_job_status(pg_temp.id(41), 'h', pg_temp.id(941)::text) \g /dev/null
SELECT ok(NOT pg_temp.is_busy(41), 'its token does');
SELECT api.cancel_job(pg_temp.id(42), 'me');
SELECT is((SELECT cancelled FROM api.renew_lease(pg_temp.id(42), 'h', pg_temp.id(942)::text)), true, 'so does a renewal');
SELECT ok(NOT pg_temp.is_busy(42), 'that tells it');
SELECT is(pg_temp.claim('i', '{c}', 43), 43, 'another job');
SELECT api.cancel_job(pg_temp.id(43), 'me');
SELECT is((SELECT returned FROM api.return_claim(pg_temp.id(43), pg_temp.id(943)::text)), true, 'a claim that comes back');
SELECT is(pg_temp.state(43) || pg_temp.is_busy(43), 'cancelledfalse', 'stays cancelled');
SELECT is(pg_temp.claim('i', '{c}', 44), 44, 'one that is never asked about');
SELECT api.cancel_job(pg_temp.id(44), 'me');
SELECT pg_temp.age(44, '2 min') \g /dev/null
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('44 cancelled') $$, 'ends too');
SELECT is(pg_temp.claim('i', '{c}', 45), 45, 'one whose agent posts the end');
SELECT api.cancel_job(pg_temp.id(45), 'me');
SELECT pg_temp.post(45, 'complete', 'i', '{"test": 0}');
SELECT is(pg_temp.state(45) || pg_temp.outcome(45) || pg_temp.is_busy(45), 'cancelledcancelledfalse', 'stays cancelled as well');

-- an agent that was started anew, and one that left its job
SELECT pg_temp.submit(n, '{"queue": "b"}') FROM generate_series(50, 53) n \g /dev/null
SELECT is(pg_temp.claim('j', '{b}', 50, '{"lease": 600, "boot": "one"}'), 50, 'a boot id');
SELECT api.renew_lease(pg_temp.id(50), 'j', pg_temp.id(950)::text) \g /dev/null
SELECT is(pg_temp.claim('j', '{b}', 51, '{"lease": 600, "boot": "two"}'), 51, 'another one');
SELECT throws_ok($$ SELECT api.renew_lease(pg_temp.id(50), 'j', pg_temp.id(950)::text) $$, 'TF409', NULL,
    'the process before keeps nothing');
SELECT api.post_log(pg_temp.id(50), 'j', pg_temp.id(950)::text, 'output', 'test', 1, now(), 'x');
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('50 retry') $$, 'its job goes on elsewhere');
SELECT is(pg_temp.claim('k', '{b}', 52), 50, 'an agent without leases');
SELECT pg_temp.post(50, 'provision', 'k');
SELECT is(pg_temp.left_s(50), 15000, 'provisions for long when it has no limit');
SELECT is(pg_temp.claim('k', '{b}', 53), 52, 'and claims another job');
SELECT is(pg_temp.left_s(50), 1800, 'so it has left that one');
SELECT pg_temp.age(50, '20 min') \g /dev/null
SELECT pg_temp.post(50, 'test', 'k', '{"provision": 0}'), api.touch_job(pg_temp.id(50), 'k', NULL),
    api.read_result(pg_temp.id(50), 'k', NULL), api.renew_lease(pg_temp.id(50), 'k', NULL) \g /dev/null
SELECT is(pg_temp.claim('k', '{none}', 58), NULL, 'whatever it does then');
SELECT is(pg_temp.left_s(50), 600, 'nothing renews that one');
SELECT pg_temp.post(52, 'provision', 'k');
SELECT pg_temp.submit(54, '{"queue": "never", "retry": {"max": 0}}') \g /dev/null
SELECT is(pg_temp.claim('n', '{never}', 54, '{"lease": 600, "boot": "one"}'), 54, 'an agent that is started anew');
SELECT is(pg_temp.claim('n', '{none}', 55, '{"lease": 600, "boot": "two"}'), NULL, 'before it ever asked about its job');
SELECT throws_ok($$ SELECT api.read_result(pg_temp.id(54), 'n', NULL, pg_temp.id(954)::text) $$, 'TF409', NULL,
    'is told so if it is there after all, before anything runs');
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('54 undelivered') $$, 'has run nothing');
SELECT is(pg_temp.state(54), 'waiting', 'so nothing is lost');
SELECT throws_ok($$ SELECT api.read_result(pg_temp.id(54), 'n', NULL, pg_temp.id(954)::text) $$, 'TF409', NULL,
    'whoever had it is told so then, too, although nobody has it yet');
SELECT is(pg_temp.claim('n', '{never}', 57, '{"lease": 600, "boot": "two"}'), 54, 'another attempt');
SELECT tfx.touch_lease(tfx.find_lease(pg_temp.id(54)), 'n', pg_temp.id(954)::text);
SELECT is((SELECT confirmed FROM tf.lease WHERE job_id = pg_temp.id(54)), NULL,
    'is not confirmed by who knew the token before');
SELECT tfx.touch_lease(tfx.find_lease(pg_temp.id(54)), 'n', pg_temp.id(957)::text);
SELECT ok((SELECT confirmed IS NOT NULL FROM tf.lease WHERE job_id = pg_temp.id(54)), 'but by its own');
SELECT pg_temp.submit(56, '{"queue": "twin", "retry": {"max": 0}}') \g /dev/null
SELECT is(pg_temp.claim('t', '{twin}', 60, '{"lease": 600, "boot": "one"}'), 56, 'two processes of one name: the first');
SELECT is(pg_temp.claim('t', '{none}', 61, '{"lease": 600, "boot": "two"}'), NULL, 'loses its job to the second');
SELECT api.post_result(pg_temp.id(56), 't', pg_temp.id(960)::text, NULL, NULL, 'test') \g /dev/null
SELECT results_eq('SELECT pg_temp.reap()', $$ VALUES ('56 agent_lost') $$, 'what it has run until then counts');
SELECT pg_temp.submit(55, '{"queue": "big", "global_timeout": 9223372036854775807}'), pg_temp.claim('m', '{big}', 56) \g /dev/null
SELECT pg_temp.post(55, 'provision', 'm');
SELECT is(pg_temp.left_s(55), 15000, 'the longest limit a job can have is none');
\ir lib/end.psql
