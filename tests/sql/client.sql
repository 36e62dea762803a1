-- SPDX-License-Identifier: GPL-3.0-or-later
-- Clients and what they may do.
\ir lib/begin.psql
SELECT is_empty($$ SELECT * FROM api.get_client_secret('c') $$, 'an unknown client has no secret');
SELECT throws_ok($$ SELECT api.get_client('c') $$, 'TF404', NULL, 'and no permissions');
SELECT is((SELECT body FROM api.list_clients(NULL, NULL)), '[]', 'no clients');
SELECT throws_ok($$ SELECT api.put_client('testflinger-admin', 'admin', '{}') $$, 'TF422', NULL,
    'the system admin cannot be changed, not even made');
SELECT throws_ok($$ SELECT api.put_client('c', 'manager', '{"role": "admin"}') $$, 'TF400', NULL,
    'a missing secret comes before the role');
SELECT throws_ok($$ SELECT api.put_client('c', 'manager', '{"secret_hash": "h", "role": "admin"}') $$, 'TF403', NULL,
    'nobody grants more than its own role');
SELECT is((SELECT created FROM api.put_client('c', 'manager', '{"secret_hash": "h"}')), true, 'a client is made');
SELECT results_eq($$ SELECT secret_hash, role, permissions::jsonb FROM api.get_client_secret('c') $$,
    $$ VALUES ('h', NULL, '{"client_id": "c"}'::jsonb) $$, 'its token names what was given');
SELECT is((SELECT body::jsonb FROM api.get_client('c')), '{"client_id": "c", "role": "contributor"}',
    'a role never given reads contributor');
SELECT is((SELECT created FROM api.put_client('c', 'manager', '{"role": "manager", "email": "e",
    "max_priority": {"*": 1}, "max_reservation_time": {"q": 5}}')), false, 'and changed');
SELECT is((SELECT created FROM api.put_client('c', 'manager', '{"max_priority": {"q": 2}}')), false, 'again');
SELECT is((SELECT body::jsonb FROM api.get_client('c')), '{"client_id": "c", "role": "manager", "email": "e",
    "max_priority": {"q": 2}, "max_reservation_time": {"q": 5}}', 'given keys are replaced, others stay');
SELECT is((SELECT secret_hash FROM api.get_client_secret('c')), 'h', 'the secret too');
SELECT throws_ok($$ SELECT api.put_client('c', 'contributor', '{}') $$, 'TF403', NULL, 'a higher client cannot be changed');
SELECT is(tfx.store_client('testflinger-admin', '{"secret_hash": "h", "role": "admin"}'), true,
    'the administration program makes the system admin');
SELECT is((SELECT jsonb_path_query_array(body::jsonb, '$[*].client_id') FROM api.list_clients(NULL, NULL)),
    '["c", "testflinger-admin"]', 'all are listed');
SELECT tfx.store_client('b', '{}'), tfx.store_client('d', '{}');
CREATE FUNCTION pg_temp.page(p_after text) RETURNS text LANGUAGE sql AS $$
    SELECT jsonb_path_query_array(body::jsonb, '$[*].client_id')::text || ' ' || coalesce(next_after, 'end')
    FROM api.list_clients(p_after, 2)
$$;
SELECT is(pg_temp.page(NULL), '["b", "c"] c', 'in pages');
SELECT is(pg_temp.page('c'), '["d", "testflinger-admin"] end', 'to the end');
SELECT tfx.remove_client('b'), tfx.remove_client('d');

INSERT INTO tf.restricted_queue VALUES ('q');
INSERT INTO tf.queue_owner (queue, client_id) VALUES ('r', 'c'), ('q', 'c');
UPDATE tf.client SET queues_granted = true WHERE client_id = 'c';
SELECT is((SELECT body::jsonb -> 'allowed_queues' FROM api.get_client('c')), '["r", "q"]', 'queues it may use');
DELETE FROM tf.queue_owner;
SELECT is((SELECT body::jsonb -> 'allowed_queues' FROM api.get_client('c')), '[]', 'or no more');

SELECT throws_ok($$ SELECT api.delete_client('testflinger-admin') $$, 'TF422', NULL, 'the system admin stays');
SELECT throws_ok($$ SELECT api.delete_client('d') $$, 'TF404', NULL, 'an unknown client is not deleted');
SELECT lives_ok($$ SELECT api.delete_client('c') $$, 'another is');
SELECT throws_ok($$ SELECT api.get_client('c') $$, 'TF404', NULL, 'and is gone');
SELECT throws_ok($$ SELECT tfx.add_client('testflinger-admin', '{}') $$, 'TF409', NULL, 'a client is added once');
SELECT is(tfx.remove_client('testflinger-admin'), true, 'the administration program may');
SELECT is(tfx.remove_client('testflinger-admin'), false, 'once');
\ir lib/end.psql
