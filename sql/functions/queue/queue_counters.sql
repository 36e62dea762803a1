-- SPDX-License-Identifier: GPL-3.0-or-later
-- Jobs and reservations ever submitted, attempts claimed and jobs ended, by queue: for the metrics.
CREATE FUNCTION api.queue_counters()
RETURNS TABLE (queue text, jobs bigint, reservations bigint, claimed bigint, finished bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT c.queue, sum(c.jobs)::bigint, sum(c.reservations)::bigint, sum(c.claimed)::bigint,
           sum(c.finished)::bigint
    FROM tf.queue_count c GROUP BY c.queue ORDER BY c.queue;
END
$$;
