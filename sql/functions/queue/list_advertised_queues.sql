-- SPDX-License-Identifier: GPL-3.0-or-later
-- {queue: description} of the queues advertised in the last 7 days.
CREATE FUNCTION api.list_advertised_queues() RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(json_object_agg(a.queue, a.description ORDER BY a.queue), '{}')::text
    FROM tf.advertised_queue a WHERE a.updated_at > now() - interval '7 days';
END
$$;
