-- SPDX-License-Identifier: GPL-3.0-or-later
-- The agents heard of in the last 7 days whose names follow p_after (NULL: from the first), at most
-- p_limit (NULL: all), by name: a JSON list.  next_after: where the next page begins, NULL at the end.
CREATE FUNCTION api.list_agents(p_after text, p_limit int) RETURNS TABLE (body text, next_after text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(jsonb_agg(tfx.render_agent(s.agent) ORDER BY s.n)
                    FILTER (WHERE s.n <= p_limit OR p_limit IS NULL), '[]')::text,
           CASE WHEN count(*) > p_limit THEN max((s.agent).name) FILTER (WHERE s.n = p_limit) END
    FROM (SELECT a AS agent, row_number() OVER (ORDER BY a.name) AS n
          FROM tf.agent a
          WHERE a.updated_at > now() - interval '7 days'
              AND (a.name > p_after COLLATE "C" OR p_after IS NULL)
          ORDER BY a.name LIMIT p_limit + 1) s;
END
$$;
