-- SPDX-License-Identifier: GPL-3.0-or-later
-- Refresh tokens.
\ir lib/begin.psql
SELECT tfx.store_client('c', '{"role": "agent"}') \g /dev/null
SELECT throws_ok($$ SELECT api.use_refresh_token('\x01') $$, 'TF400', NULL, 'an unknown token');
SELECT throws_ok($$ SELECT api.add_refresh_token('d', '\x01', 100) $$, 'TF401', NULL, 'none for an unknown client');
SELECT lives_ok($$ SELECT api.add_refresh_token('c', '\x01', 100) $$, 'a token');
SELECT results_eq($$ SELECT client_id, permissions::jsonb FROM api.use_refresh_token('\x01') $$,
    $$ VALUES ('c', '{"client_id": "c", "role": "agent"}'::jsonb) $$, 'is used');
UPDATE tf.refresh_token SET last_used = now() - interval '1 day';
SELECT tfx.store_client('c', '{"role": "admin"}') \g /dev/null
SELECT is((SELECT permissions::jsonb ->> 'role' FROM api.use_refresh_token('\x01')), 'admin',
    'again, with the permissions of today');
SELECT is((SELECT last_used FROM tf.refresh_token), now(), 'its last use is known');
UPDATE tf.refresh_token SET expires_at = now();
SELECT throws_ok($$ SELECT api.use_refresh_token('\x01') $$, 'TF400', NULL, 'not when expired');
UPDATE tf.refresh_token SET expires_at = now() + interval '1 h', revoked_at = now();
SELECT throws_ok($$ SELECT api.use_refresh_token('\x01') $$, 'TF400', NULL, 'nor when revoked');
SELECT lives_ok($$ SELECT api.add_refresh_token('c', '\x02', 100) $$, 'another token');
SELECT api.delete_client('c');
SELECT throws_ok($$ SELECT api.use_refresh_token('\x02') $$, 'TF400', NULL, 'a deleted client cannot refresh');
\ir lib/end.psql
