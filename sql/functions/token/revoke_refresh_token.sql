-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes a refresh token useless; access tokens it bought live on until they expire.
--   TF400  unknown, or revoked before
CREATE FUNCTION api.revoke_refresh_token(p_sha256 bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_revoked_at timestamptz;
BEGIN
    SELECT t.revoked_at INTO v_revoked_at
    FROM tf.refresh_token t WHERE t.sha256 = p_sha256 FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'refresh token is not known' USING ERRCODE = 'TF400';
    ELSIF v_revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'refresh token has been revoked before' USING ERRCODE = 'TF400';
    END IF;
    UPDATE tf.refresh_token t SET revoked_at = now() WHERE t.sha256 = p_sha256;
END
$$;
