-- SPDX-License-Identifier: GPL-3.0-or-later
-- One agent's record.  No row: unknown.
CREATE FUNCTION api.get_agent(p_name text) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT tfx.render_agent(a)::text FROM tf.agent a WHERE a.name = p_name;
END
$$;
