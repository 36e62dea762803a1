-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes a refresh token useless and tells whose it was; access tokens it bought live on until they
-- expire.  problem: unknown or revoked already; NULL if it was good until now.
CREATE FUNCTION api.end_refresh_token(p_sha256 bytea) RETURNS TABLE (client_id text, problem text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_token tf.refresh_token;
BEGIN
    SELECT * INTO v_token FROM tf.refresh_token t WHERE t.sha256 = p_sha256 FOR UPDATE;
    UPDATE tf.refresh_token t SET revoked_at = now()
    WHERE t.sha256 = p_sha256 AND t.revoked_at IS NULL;
    RETURN QUERY SELECT v_token.client_id, CASE WHEN v_token.sha256 IS NULL THEN 'unknown'
        WHEN v_token.revoked_at IS NOT NULL THEN 'revoked already' END;
END
$$;
