-- SPDX-License-Identifier: GPL-3.0-or-later
-- Replaces a client's secret and revokes its refresh tokens, which were got with the old one: for
-- the administration program.
--   TF404  no such client
CREATE FUNCTION tfx.set_client_secret(p_client_id text, p_secret_hash text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tf.client c SET secret_hash = p_secret_hash, updated_at = now()
    WHERE c.client_id = p_client_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'client "%" does not exist', p_client_id USING ERRCODE = 'TF404';
    END IF;
    UPDATE tf.refresh_token t SET revoked_at = now()
    WHERE t.client_id = p_client_id AND t.revoked_at IS NULL;
END
$$;
