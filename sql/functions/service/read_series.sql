-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the database counts and measures, for the metrics.  label: which one of the series, or NULL.
--   jobs, reservations, claimed, finished   ever submitted, attempts, ended; by queue
--   dead_rows      that VACUUM has not removed; by hot table
--   snapshot_s     age of the oldest snapshot or transaction, in seconds
CREATE FUNCTION api.read_series() RETURNS TABLE (series text, label text, value bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT s.name, c.queue, s.value
    FROM (SELECT q.queue::text, sum(q.jobs)::bigint AS jobs, sum(q.reservations)::bigint AS reservations,
                 sum(q.claimed)::bigint AS claimed, sum(q.finished)::bigint AS finished
          FROM tf.queue_count q GROUP BY q.queue) c
    CROSS JOIN LATERAL (VALUES ('jobs', c.jobs), ('reservations', c.reservations), ('claimed', c.claimed),
                               ('finished', c.finished)) s(name, value);
    RETURN QUERY
    SELECT 'dead_rows', t.name, pg_stat_get_dead_tuples(('tf.' || t.name)::regclass)
    FROM unnest('{hold,wait,lease,queue_count}'::text[]) t(name);
    RETURN QUERY
    SELECT 'snapshot_s', NULL, coalesce(max(extract(epoch FROM clock_timestamp() - h.since))::bigint, 0)
    FROM tfx.list_holders() h;
END
$$;
