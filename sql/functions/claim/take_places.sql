-- SPDX-License-Identifier: GPL-3.0-or-later
-- Locks the named rows of tf.wait in the given order, skipping those others hold, and deletes and
-- returns what it locked: places[i], of job jobs[i], is for request numbers[i].
CREATE FUNCTION tfx.take_places(p_numbers int[], p_queues text[], p_nprios bigint[],
                                p_seqs bigint[], OUT numbers int[], OUT places tf.wait[],
                                OUT jobs uuid[], OUT first_week date, OUT last_week date)
LANGUAGE plpgsql AS $$
BEGIN
    WITH taken AS (
        DELETE FROM tf.wait w
        USING unnest(p_numbers, p_queues, p_nprios, p_seqs) k(number, queue, nprio, seq)
        WHERE w.queue = k.queue COLLATE "C" AND w.nprio = k.nprio AND w.seq = k.seq
            AND w.ctid = ANY (ARRAY(
                SELECT x.ctid
                FROM unnest(p_queues, p_nprios, p_seqs) WITH ORDINALITY o(queue, nprio, seq, n)
                JOIN tf.wait x
                    ON x.queue = o.queue COLLATE "C" AND x.nprio = o.nprio AND x.seq = o.seq
                ORDER BY o.n
                FOR UPDATE OF x SKIP LOCKED))
        RETURNING k.number, w AS place)
    SELECT coalesce(array_agg(t.number), '{}'), array_agg(t.place), array_agg((t.place).job_id),
           min((t.place).week), max((t.place).week)
    INTO numbers, places, jobs, first_week, last_week
    FROM taken t;
END
$$;
