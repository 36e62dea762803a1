-- SPDX-License-Identifier: GPL-3.0-or-later
-- Remembers a refresh token, by its SHA-256 only.  A client that has gone meanwhile gets none:
--   TF401
CREATE FUNCTION api.add_refresh_token(p_client_id text, p_sha256 bytea, p_lifetime_s int)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO tf.refresh_token (sha256, client_id, expires_at)
    SELECT p_sha256, c.client_id, now() + make_interval(secs => p_lifetime_s)
    FROM tf.client c WHERE c.client_id = p_client_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'client "%" does not exist', p_client_id USING ERRCODE = 'TF401';
    END IF;
END
$$;
