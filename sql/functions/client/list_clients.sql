-- SPDX-License-Identifier: GPL-3.0-or-later
-- The permissions of all clients, by name: a JSON list.
CREATE FUNCTION api.list_clients() RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(jsonb_agg('{"role": "contributor"}'::jsonb || tfx.render_permissions(c)
                              ORDER BY c.client_id), '[]')::text
    FROM tf.client c;
END
$$;
