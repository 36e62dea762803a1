-- SPDX-License-Identifier: GPL-3.0-or-later
-- Restricted queues and their owners.
\ir lib/begin.psql
CREATE FUNCTION pg_temp.owners(p_queue text DEFAULT 'q') RETURNS text LANGUAGE sql AS
    $$ SELECT body::jsonb ->> 'owners' FROM api.get_restricted_queue(p_queue) $$;
CREATE FUNCTION pg_temp.allowed(p_client text) RETURNS text LANGUAGE sql AS
    $$ SELECT body::jsonb ->> 'allowed_queues' FROM api.get_client(p_client) $$;
SELECT tfx.store_client('c1', '{}'), tfx.store_client('c2', '{}'), tfx.store_client('c3', '{}') \g /dev/null

SELECT is((SELECT body FROM api.list_restricted_queues(NULL, NULL)), '[]', 'no queue is restricted');
SELECT throws_ok($$ SELECT * FROM api.get_restricted_queue('q') $$, 'TF404', NULL, 'this one neither');
SELECT throws_ok($$ SELECT api.add_queue_owner('q', '') $$, 'TF400', NULL, 'an owner has a name');
SELECT throws_ok($$ SELECT api.add_queue_owner('q', 'nobody') $$, 'TF404', 'client "nobody" does not exist', 'and exists');
SELECT throws_ok($$ SELECT api.add_queue_owner('q', 'c1') $$, 'TF404', NULL, 'so does the queue');
SELECT api.set_advertised_queues('{"q": ""}') \g /dev/null
SELECT throws_ok($$ SELECT api.add_queue_owner('q', 'c1') $$, 'TF404', NULL, 'advertising is not enough');
SELECT is(pg_temp.allowed('c1'), NULL, 'nothing is kept of it');
SELECT api.post_agent('a', '{"queues": ["q", "r"]}', NULL) \g /dev/null
SELECT lives_ok($$ SELECT api.add_queue_owner('q', 'c2') $$, 'an agent must serve it');
SELECT lives_ok($$ SELECT api.add_queue_owner('q', 'c1') $$, 'there may be more owners');
SELECT lives_ok($$ SELECT api.add_queue_owner('q', 'c2') $$, 'and each may be added again');
SELECT is(pg_temp.owners(), '["c2", "c1"]', 'owners in the order in which they were added');
SELECT is(pg_temp.allowed('c1'), '["q"]', 'it shows in their permissions');

SELECT throws_ok($$ SELECT pg_temp.submit(1) $$, 'TF401', NULL, 'nobody submits anonymously');
SELECT throws_ok($$ SELECT pg_temp.submit(1, '{"authenticated": true}') $$, 'TF403', NULL, 'nor without the right to');
SELECT is(pg_temp.submit(1, '{"authenticated": true, "queue_allowed": true}'), true, 'but with it');

SELECT throws_ok($$ SELECT api.remove_queue_owner('r', '') $$, 'TF404', NULL, 'a queue not restricted has no owners');
SELECT throws_ok($$ SELECT api.remove_queue_owner('q', '') $$, 'TF400', NULL, 'who is to be removed has a name');
SELECT throws_ok($$ SELECT api.remove_queue_owner('q', 'c3') $$, 'TF404', NULL, 'and is an owner');
SELECT lives_ok($$ SELECT api.remove_queue_owner('q', 'c2') $$, 'an owner is removed');
SELECT is(pg_temp.owners(), '["c1"]', 'the others stay');
SELECT is(pg_temp.allowed('c2'), '[]', 'who had queues shows an empty list');
SELECT lives_ok($$ SELECT api.remove_queue_owner('q', 'c1') $$, 'the last one');
SELECT throws_ok($$ SELECT * FROM api.get_restricted_queue('q') $$, 'TF404', NULL, 'takes the restriction along');

SELECT api.add_queue_owner('q', 'c1'), api.add_queue_owner('r', 'c1'), api.add_queue_owner('r', 'c2') \g /dev/null
SELECT is((SELECT body::jsonb FROM api.list_restricted_queues(NULL, NULL)),
    '[{"queue": "q", "owners": ["c1"]}, {"queue": "r", "owners": ["c1", "c2"]}]', 'all restricted queues');
SELECT results_eq($$ SELECT body::jsonb #>> '{0,queue}', next_after FROM api.list_restricted_queues(NULL, 1) $$,
    $$ VALUES ('q', 'q') $$, 'in pages');
SELECT results_eq($$ SELECT body::jsonb #>> '{0,queue}', next_after FROM api.list_restricted_queues('q', 1) $$,
    $$ VALUES ('r', NULL) $$, 'to the end');
SELECT api.delete_client('c1') \g /dev/null
SELECT is(pg_temp.owners('r'), '["c2"]', 'a deleted client is no owner');
SELECT is(pg_temp.owners('q'), '[]', 'but never lifts a restriction');
SELECT throws_ok($$ SELECT pg_temp.submit(2) $$, 'TF401', NULL, 'so nobody can submit there');
SELECT is((SELECT body::jsonb -> 'restricted_to' FROM api.get_agent('a')), '{"r": ["c2"]}', 'nor is it shown on agents');
UPDATE tf.agent SET updated_at = now() - interval '8 days';
SELECT throws_ok($$ SELECT api.add_queue_owner('r', 'c3') $$, 'TF404', NULL, 'an agent long gone serves no queue');
\ir lib/end.psql
