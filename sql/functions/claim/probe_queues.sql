-- SPDX-License-Identifier: GPL-3.0-or-later
-- The best candidates of every queue a batch of claims asks for, over all queues in the order of
-- claims, nothing locked.  askers: numbers (from 1) of the requests that name the queue.
-- A queue is looked into as deep as it has askers and a little more, for what some exclude.
CREATE FUNCTION tfx.probe_queues(p_requests jsonb)
RETURNS TABLE (queue text, askers int[], is_full boolean, nprio bigint, seq bigint,
               exclude_agents text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q.queue, q.askers,
           row_number() OVER (PARTITION BY q.queue ORDER BY p.nprio, p.seq) = q.deep,
           p.nprio, p.seq, p.exclude_agents
    FROM (SELECT t.queue, array_agg(DISTINCT r.n::int ORDER BY r.n::int) AS askers,
                 count(*) + 4 AS deep
          FROM jsonb_array_elements(p_requests) WITH ORDINALITY r(j, n)
          CROSS JOIN LATERAL jsonb_array_elements_text(r.j -> 'queues') t(queue)
          GROUP BY t.queue) q
    CROSS JOIN LATERAL (
        SELECT w.nprio, w.seq, w.exclude_agents
        FROM tf.wait w WHERE w.queue = q.queue COLLATE "C"
        ORDER BY w.nprio, w.seq LIMIT q.deep) p
    ORDER BY p.nprio, p.seq;
END
$$;
