-- SPDX-License-Identifier: GPL-3.0-or-later
-- The permissions of the clients behind p_after (NULL: from the first), at most p_limit (NULL: all),
-- by name: a JSON list.  next_after: where the next page begins, NULL at the end.
CREATE FUNCTION api.list_clients(p_after text, p_limit int)
RETURNS TABLE (body text, next_after text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(jsonb_agg('{"role": "contributor"}'::jsonb || tfx.render_permissions(s.client)
                              ORDER BY s.n)
                    FILTER (WHERE s.n <= p_limit OR p_limit IS NULL), '[]')::text,
           CASE WHEN count(*) > p_limit
                THEN max((s.client).client_id) FILTER (WHERE s.n = p_limit) END
    FROM (SELECT c AS client, row_number() OVER (ORDER BY c.client_id) AS n
          FROM tf.client c
          WHERE c.client_id > p_after COLLATE "C" OR p_after IS NULL
          ORDER BY c.client_id LIMIT p_limit + 1) s;
END
$$;
