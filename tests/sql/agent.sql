-- SPDX-License-Identifier: GPL-3.0-or-later
-- Agents' records.
\ir lib/begin.psql
SELECT is_empty($$ SELECT * FROM api.get_agent('a') $$, 'an unknown agent has no record');
SELECT is((SELECT body FROM api.list_agents(NULL, NULL)), '[]', 'and no agent is listed');
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
SELECT is((SELECT jsonb_path_query_array(body::jsonb, '$[*].name') FROM api.list_agents(NULL, NULL)), '["a", "b"]', 'a list of all');
UPDATE tf.agent SET updated_at = now() - interval '8 days' WHERE name = 'a';
SELECT is((SELECT jsonb_path_query_array(body::jsonb, '$[*].name') FROM api.list_agents(NULL, NULL)), '["b"]',
    'who was not heard of for a week drops out');
SELECT isnt_empty($$ SELECT * FROM api.get_agent('a') $$, 'but keeps its record');

SELECT api.post_agent('c', '{}', NULL), api.post_agent('d', '{}', NULL);
CREATE FUNCTION pg_temp.page(p_after text) RETURNS text LANGUAGE sql AS $$
    SELECT jsonb_path_query_array(body::jsonb, '$[*].name')::text || ' ' || coalesce(next_after, 'end')
    FROM api.list_agents(p_after, 2)
$$;
SELECT is(pg_temp.page(NULL), '["b", "c"] c', 'a page of agents');
SELECT is(pg_temp.page('c'), '["d"] end', 'and the last');
SELECT is(pg_temp.page('d'), '[] end', 'behind it is nothing');
DELETE FROM tf.agent WHERE name = 'd';
SELECT is(pg_temp.page(NULL), '["b", "c"] end', 'a full page may be the last one too');

-- post_provision_log
SELECT throws_ok($$ SELECT api.post_provision_log('nobody', 'j', 0, NULL) $$, 'TF404', NULL,
    'who never reported has no log');
CREATE FUNCTION pg_temp.streak(p_exit_code bigint) RETURNS text LANGUAGE sql AS $$
    SELECT api.post_provision_log('b', 'any', p_exit_code, 'detail');
    SELECT concat(r ->> 'provision_streak_type', ' ', r ->> 'provision_streak_count')
    FROM (SELECT body::jsonb AS r FROM api.get_agent('b')) s
$$;
SELECT is(pg_temp.streak(0), 'pass 1', 'a first success');
SELECT is(pg_temp.streak(0), 'pass 2', 'another one');
SELECT is(pg_temp.streak(46), 'fail 1', 'any other exit code is a failure');
SELECT is(pg_temp.streak(-1), 'fail 2', 'whichever');
SELECT is(pg_temp.streak(0), 'pass 1', 'and over again');
SELECT api.post_provision_log('c', 'other', 0, NULL), api.post_provision_log('b', n::text, 0, '') FROM generate_series(1, 99) n \g /dev/null
SELECT results_eq($$ SELECT count(*), min(job_id::int) FILTER (WHERE job_id <> 'any') FROM tf.provision_log WHERE agent = 'b' $$,
    $$ VALUES (100::bigint, 1) $$, 'the last hundred are kept');
SELECT is(pg_temp.streak(0), 'pass 101', 'the streak counts on');
SELECT is((SELECT count(*) FROM tf.provision_log WHERE agent = 'b' AND job_id = 'any'), 1::bigint, 'and the oldest go');
SELECT is((SELECT count(*) FROM tf.provision_log WHERE agent = 'c'), 99::bigint, 'one agent''s logs are not another''s');
\ir lib/end.psql
