-- SPDX-License-Identifier: GPL-3.0-or-later
-- The client behind a refresh token and its permissions of today; counts as a use of the token.
--   TF400  unknown, expired, revoked or not used for 90 days
CREATE FUNCTION api.use_refresh_token(p_sha256 bytea)
RETURNS TABLE (client_id text, permissions text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE tf.refresh_token t SET last_used = now()
    WHERE t.sha256 = p_sha256 AND t.revoked_at IS NULL AND t.expires_at > now()
        AND t.last_used > now() - interval '90 days';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'refresh token is not valid' USING ERRCODE = 'TF400';
    END IF;
    RETURN QUERY
    SELECT c.client_id, tfx.render_permissions(c)::text
    FROM tf.refresh_token t JOIN tf.client c ON c.client_id = t.client_id
    WHERE t.sha256 = p_sha256;
END
$$;
