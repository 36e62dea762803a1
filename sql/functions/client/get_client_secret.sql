-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a login needs: the hash of the secret (NULL: none), the role and the permissions for the
-- token.  No row: unknown client.
CREATE FUNCTION api.get_client_secret(p_client_id text)
RETURNS TABLE (secret_hash text, role text, permissions text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT c.secret_hash, c.role::text, tfx.render_permissions(c)::text
    FROM tf.client c WHERE c.client_id = p_client_id;
END
$$;
