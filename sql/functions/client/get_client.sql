-- SPDX-License-Identifier: GPL-3.0-or-later
-- A client's permissions for people to read; a role never given reads contributor.
--   TF404  no such client
CREATE FUNCTION api.get_client(p_client_id text) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT ('{"role": "contributor"}'::jsonb || tfx.render_permissions(c))::text
    FROM tf.client c WHERE c.client_id = p_client_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'client "%" does not exist', p_client_id USING ERRCODE = 'TF404';
    END IF;
END
$$;
