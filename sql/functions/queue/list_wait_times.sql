-- SPDX-License-Identifier: GPL-3.0-or-later
-- How long jobs waited: {queue: {"5": seconds, "10": …, "50": …, "90": …, "95": …}}, percentiles of
-- the newest 1,000 samples of each queue, between the closest two by linear interpolation.
-- p_queues: NULL is every queue.  A queue without samples is left out.
CREATE FUNCTION api.list_wait_times(p_queues jsonb) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce(json_object_agg(q.queue, json_build_object(
               '5', w.p[1], '10', w.p[2], '50', w.p[3], '90', w.p[4], '95', w.p[5])
               ORDER BY q.queue), '{}')::text
    FROM (SELECT DISTINCT t.queue FROM jsonb_array_elements_text(p_queues) t(queue)
          UNION ALL SELECT s.queue FROM tfx.list_sampled_queues() s WHERE p_queues IS NULL) q
    CROSS JOIN LATERAL (
        SELECT percentile_cont(ARRAY[0.05, 0.1, 0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY n.seconds) AS p
        FROM (SELECT s.seconds FROM tf.wait_sample s
              WHERE s.queue = q.queue COLLATE "C" ORDER BY s.at DESC LIMIT 1000) n) w
    WHERE w.p IS NOT NULL;
END
$$;
