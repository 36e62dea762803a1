-- SPDX-License-Identifier: GPL-3.0-or-later
-- The best candidates of every queue a batch of claims asks for, over all queues in the order of
-- claims, nothing locked.  askers: numbers of the requests that name the queue, which is the number-th
-- that is asked for.  A queue is looked into as deep as it has askers and a little more, for what some
-- exclude.
CREATE FUNCTION tfx.probe_queues(p_lists int[], p_queues text[], p_free boolean[])
RETURNS TABLE (number int, queue text, askers int[], is_full boolean, nprio bigint, seq bigint,
               exclude_agents text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q.number::int, q.queue, q.askers,
           row_number() OVER (PARTITION BY q.number ORDER BY p.nprio, p.seq) = q.deep,
           p.nprio, p.seq, p.exclude_agents
    FROM (SELECT row_number() OVER () AS number, t.queue,
                 array_agg(DISTINCT r.n::int ORDER BY r.n::int) AS askers, count(*) + 4 AS deep
          FROM unnest(p_lists, p_free) WITH ORDINALITY r(list, is_free, n)
          CROSS JOIN LATERAL unnest(p_queues[r.list]::text[]) t(queue)
          WHERE r.is_free
          GROUP BY t.queue) q
    CROSS JOIN LATERAL (
        SELECT w.nprio, w.seq, w.exclude_agents
        FROM tf.wait w WHERE w.queue = q.queue COLLATE "C"
        ORDER BY w.nprio, w.seq LIMIT q.deep) p
    ORDER BY p.nprio, p.seq;
END
$$;
