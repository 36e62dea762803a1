-- SPDX-License-Identifier: GPL-3.0-or-later
-- Agents' records.
\ir lib/begin.psql
SELECT is_empty($$ SELECT * FROM api.get_agent('a') $$, 'an unknown agent has no record');
SELECT is((SELECT body FROM api.list_agents()), '[]', 'and no agent is listed');
SELECT lives_ok($$ SELECT api.post_agent('a', '{}', NULL) $$, 'an empty report');
SELECT is((SELECT body::jsonb - 'updated_at' FROM api.get_agent('a')), '{"name": "a", "restricted_to": {}}',
    'makes a record of what is known');
SELECT api.post_agent('a', '{"state": "waiting", "queues": ["q", "r"], "location": "", "comment": "c",
    "identifier": "i", "provision_type": "p", "job_id": "any"}', 'me');
SELECT is((SELECT body::jsonb - 'updated_at' FROM api.get_agent('a')), '{"name": "a", "restricted_to": {},
    "state": "waiting", "queues": ["q", "r"], "location": "", "comment": "c", "identifier": "i",
    "provision_type": "p", "job_id": "any"}', 'reports are merged');
SELECT api.post_agent('a', '{"state": "test", "queues": []}', NULL);
SELECT is((SELECT body::jsonb -> 'queues' FROM api.get_agent('a')), '[]', 'a list is replaced');
SELECT is((SELECT body::jsonb ->> 'comment' FROM api.get_agent('a')), 'c', 'the rest stays');
SELECT matches((SELECT body::jsonb ->> 'updated_at' FROM api.get_agent('a')), '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$',
    'times end with Z');
SELECT results_eq($$ SELECT from_state, to_state, comment, by FROM tf.agent_event WHERE agent = 'a' ORDER BY id $$,
    $$ VALUES (NULL, 'waiting', 'c', 'me'), ('waiting', 'test', 'c', NULL) $$, 'changes of state are on record');
SELECT api.post_agent('a', '{"state": "test"}', NULL);
SELECT is((SELECT count(*) FROM tf.agent_event), 2::bigint, 'repetitions are not');
SELECT api.post_agent('a', jsonb_build_object('log', (SELECT jsonb_agg('l' || n) FROM generate_series(1, 60) n)), NULL),
    api.post_agent('a', jsonb_build_object('log', (SELECT jsonb_agg('l' || n) FROM generate_series(61, 120) n)), NULL);
SELECT results_eq($$ SELECT cardinality(log), log[1], log[100] FROM tf.agent $$,
    $$ VALUES (100, 'l21', 'l120') $$, 'the last 100 lines are kept');
SELECT api.post_agent('a', '{"log": []}', NULL);
SELECT is((SELECT cardinality(log) FROM tf.agent), 100, 'no new line changes nothing');

INSERT INTO tf.restricted_queue VALUES ('r'), ('empty');
SELECT tfx.store_client('c1', '{}'), tfx.store_client('c2', '{}') \g /dev/null
INSERT INTO tf.queue_owner (queue, client_id) VALUES ('r', 'c2'), ('r', 'c1'), ('free', 'c1');
SELECT api.post_agent('b', '{"queues": ["q", "r", "empty", "free"]}', NULL);
SELECT is((SELECT body::jsonb -> 'restricted_to' FROM api.get_agent('b')), '{"r": ["c2", "c1"]}',
    'restricted queues are shown with their owners, as granted');
SELECT is((SELECT jsonb_path_query_array(body::jsonb, '$[*].name') FROM api.list_agents()), '["a", "b"]', 'a list of all');
UPDATE tf.agent SET updated_at = now() - interval '8 days' WHERE name = 'a';
SELECT is((SELECT jsonb_path_query_array(body::jsonb, '$[*].name') FROM api.list_agents()), '["b"]',
    'who was not heard of for a week drops out');
SELECT isnt_empty($$ SELECT * FROM api.get_agent('a') $$, 'but keeps its record');
\ir lib/end.psql
