-- SPDX-License-Identifier: GPL-3.0-or-later
-- All agents heard of in the last 7 days, by name: a JSON list.
CREATE FUNCTION api.list_agents() RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(jsonb_agg(tfx.render_agent(a) ORDER BY a.name), '[]')::text
    FROM tf.agent a WHERE a.updated_at > now() - interval '7 days';
END
$$;
