-- SPDX-License-Identifier: GPL-3.0-or-later
-- Does what tfx.pick_jobs() does for an agent that is alone and free: mostly the best job there is, which
-- nobody holds, is taken off tf.wait by one statement.
CREATE FUNCTION tfx.take_best(p_agents text[], p_lists int[], p_queues text[], OUT numbers int[],
                              OUT places tf.wait[], OUT jobs uuid[], OUT first_week date,
                              OUT last_week date, OUT slow int[])
LANGUAGE plpgsql AS $$
DECLARE
    v_begin timestamptz := clock_timestamp();
BEGIN
    DELETE FROM tf.wait w
    WHERE w.ctid = (
        SELECT x.ctid
        FROM (SELECT h.place
              FROM unnest(p_queues[p_lists[1]]::text[]) q(queue)
              CROSS JOIN LATERAL (
                  SELECT o.ctid AS place, o.nprio, o.seq FROM tf.wait o
                  WHERE o.queue = q.queue COLLATE "C"
                      AND (o.exclude_agents IS NULL OR NOT p_agents[1] = ANY (o.exclude_agents))
                  ORDER BY o.nprio, o.seq LIMIT 1) h
              ORDER BY h.nprio, h.seq LIMIT 1) best
        JOIN tf.wait x ON x.ctid = best.place
        FOR UPDATE OF x SKIP LOCKED)
    RETURNING '{1}', ARRAY[w], ARRAY[w.job_id], w.week, w.week
    INTO numbers, places, jobs, first_week, last_week;
    IF NOT FOUND THEN
        SELECT p.* INTO numbers, places, jobs, first_week, last_week, slow
        FROM tfx.pick_jobs(p_agents, p_lists, p_queues, '{true}') p;
    ELSIF clock_timestamp() - v_begin > interval '5 ms' THEN
        slow := '{1}';
    ELSE
        slow := '{}';
    END IF;
END
$$;
