-- SPDX-License-Identifier: GPL-3.0-or-later
-- The restricted queues behind p_after (NULL: from the first), at most p_limit (NULL: all), by name:
-- a JSON list.  next_after: where the next page begins, NULL at the end.
CREATE FUNCTION api.list_restricted_queues(p_after text, p_limit int)
RETURNS TABLE (body text, next_after text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(json_agg(tfx.render_restriction(s.queue) ORDER BY s.queue)
                    FILTER (WHERE s.n <= p_limit OR p_limit IS NULL), '[]')::text,
           CASE WHEN count(*) > p_limit THEN max(s.queue) FILTER (WHERE s.n = p_limit) END
    FROM (SELECT r.queue, row_number() OVER (ORDER BY r.queue) AS n
          FROM tf.restricted_queue r
          WHERE r.queue > p_after COLLATE "C" OR p_after IS NULL
          ORDER BY r.queue LIMIT p_limit + 1) s;
END
$$;
