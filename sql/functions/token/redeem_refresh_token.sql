-- SPDX-License-Identifier: GPL-3.0-or-later
-- The client behind a refresh token and its permissions of today; counts as a use of the token.
-- problem: unknown, revoked or expired (also when not used for 90 days); NULL if the token is good.  No error is raised, so that whose
-- token was tried can be told to the security log.
CREATE FUNCTION api.redeem_refresh_token(p_sha256 bytea)
RETURNS TABLE (client_id text, permissions text, problem text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_token tf.refresh_token;
BEGIN
    SELECT * INTO v_token FROM tf.refresh_token t WHERE t.sha256 = p_sha256 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::text, NULL::text, 'unknown';
    ELSIF v_token.revoked_at IS NOT NULL OR v_token.expires_at <= now()
        OR v_token.last_used <= now() - interval '90 days' THEN
        RETURN QUERY SELECT v_token.client_id, NULL::text,
            CASE WHEN v_token.revoked_at IS NULL THEN 'expired' ELSE 'revoked' END;
    ELSE
        UPDATE tf.refresh_token t SET last_used = now() WHERE t.sha256 = p_sha256;
        RETURN QUERY SELECT c.client_id, tfx.render_permissions(c)::text, NULL::text
        FROM tf.client c WHERE c.client_id = v_token.client_id;
    END IF;
END
$$;
