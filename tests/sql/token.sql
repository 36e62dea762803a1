-- SPDX-License-Identifier: GPL-3.0-or-later
-- Refresh tokens.
\ir lib/begin.psql
-- Tells what is wrong with a token, and no permissions.
CREATE FUNCTION pg_temp.is_bad(p_sha256 bytea, p_why text) RETURNS text LANGUAGE sql AS $$
    SELECT ok((SELECT problem IS NOT NULL AND permissions IS NULL
               FROM api.redeem_refresh_token(p_sha256)), p_why)
$$;
SELECT tfx.store_client('c', '{"role": "agent"}') \g /dev/null
SELECT pg_temp.is_bad('\x01', 'an unknown token');
SELECT throws_ok($$ SELECT api.add_refresh_token('d', '\x01', 100) $$, 'TF401', NULL, 'none for an unknown client');
SELECT lives_ok($$ SELECT api.add_refresh_token('c', '\x01', 100) $$, 'a token');
SELECT results_eq($$ SELECT client_id, permissions::jsonb FROM api.redeem_refresh_token('\x01') $$,
    $$ VALUES ('c', '{"client_id": "c", "role": "agent"}'::jsonb) $$, 'is used');
UPDATE tf.refresh_token SET last_used = now() - interval '1 day';
SELECT tfx.store_client('c', '{"role": "admin"}') \g /dev/null
SELECT is((SELECT permissions::jsonb ->> 'role' FROM api.redeem_refresh_token('\x01')), 'admin',
    'again, with the permissions of today');
SELECT is((SELECT last_used FROM tf.refresh_token), now(), 'its last use is known');
UPDATE tf.refresh_token SET expires_at = now();
SELECT pg_temp.is_bad('\x01', 'not when expired');
UPDATE tf.refresh_token SET expires_at = now() + interval '1 h', last_used = now() - interval '91 days';
SELECT pg_temp.is_bad('\x01', 'nor when forgotten for 90 days');
UPDATE tf.refresh_token SET last_used = now(), revoked_at = now();
SELECT pg_temp.is_bad('\x01', 'nor when revoked');
SELECT lives_ok($$ SELECT api.add_refresh_token('c', '\x02', 100) $$, 'another token');
SELECT ok((SELECT problem FROM api.end_refresh_token('\x03')) IS NOT NULL, 'an unknown token cannot be revoked');
SELECT results_eq($$ SELECT * FROM api.end_refresh_token('\x02') $$, $$ VALUES ('c', NULL) $$, 'a token is revoked');
SELECT pg_temp.is_bad('\x02', 'and does not work any more');
SELECT ok((SELECT problem FROM api.end_refresh_token('\x02')) IS NOT NULL, 'nor is it revoked twice');
SELECT api.add_refresh_token('c', '\x04', 100);
SELECT results_eq('SELECT client_id, role, has_secret, tokens FROM tfx.list_client_rows()',
    $$ VALUES ('c', 'admin', false, 1::bigint) $$, 'the administrator sees how many work');
SELECT tfx.set_client_secret('c', 'h');
SELECT pg_temp.is_bad('\x04', 'a new secret ends them all');
SELECT throws_ok($$ SELECT tfx.set_client_secret('d', 'h') $$, 'TF404', NULL, 'an unknown client gets none');
UPDATE tf.refresh_token SET revoked_at = NULL WHERE sha256 = '\x02';
SELECT api.delete_client('c');
SELECT pg_temp.is_bad('\x02', 'a deleted client cannot refresh');
\ir lib/end.psql
