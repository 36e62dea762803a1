-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes the best job for one agent off tf.wait, over several queues; NULLs when there
-- is none.  Merges the queues by their best rows: the queue with the best head is searched for a
-- row nobody holds, but only up to the head of the next queue, so a worse job is never taken while
-- a better one is free.  Jobs that exclude the agent are scanned past.  The bound is searched up to in
-- two steps: one comparison of (nprio, seq) with it would not end a scan before the end of its priority.
CREATE FUNCTION tfx.pick_job(p_agent text, p_queues text[]) RETURNS tf.wait
LANGUAGE plpgsql AS $$
DECLARE
    v_queues text[];
    v_nprios bigint[];
    v_seqs bigint[];
    v_bound_nprio bigint;
    v_bound_seq bigint;
    v_place tf.wait;
BEGIN
    SELECT array_agg(q.queue ORDER BY p.nprio, p.seq), array_agg(p.nprio ORDER BY p.nprio, p.seq),
           array_agg(p.seq ORDER BY p.nprio, p.seq)
    INTO v_queues, v_nprios, v_seqs
    FROM (SELECT DISTINCT u.queue FROM unnest(p_queues) u(queue)) q
    CROSS JOIN LATERAL (
        SELECT w.nprio, w.seq FROM tf.wait w
        WHERE w.queue = q.queue COLLATE "C"
            AND (w.exclude_agents IS NULL OR NOT p_agent = ANY (w.exclude_agents))
        ORDER BY w.nprio, w.seq LIMIT 1) p;
    WHILE cardinality(v_queues) > 0 LOOP
        v_bound_nprio := coalesce(v_nprios[2], 9223372036854775807);
        v_bound_seq := coalesce(v_seqs[2], 9223372036854775807);
        SELECT w.* INTO v_place
        FROM tf.wait w
        WHERE w.queue = v_queues[1] AND (w.nprio, w.seq) >= (v_nprios[1], v_seqs[1])
            AND w.nprio < v_bound_nprio
            AND (w.exclude_agents IS NULL OR NOT p_agent = ANY (w.exclude_agents))
        ORDER BY w.nprio, w.seq LIMIT 1
        FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            SELECT w.* INTO v_place
            FROM tf.wait w
            WHERE w.queue = v_queues[1] AND w.nprio = v_bound_nprio
                AND w.seq >= CASE WHEN v_nprios[1] = v_bound_nprio THEN v_seqs[1] ELSE 0 END
                AND w.seq < v_bound_seq
                AND (w.exclude_agents IS NULL OR NOT p_agent = ANY (w.exclude_agents))
            ORDER BY w.nprio, w.seq LIMIT 1
            FOR UPDATE SKIP LOCKED;
        END IF;
        IF FOUND THEN
            DELETE FROM tf.wait w WHERE w.queue = v_place.queue AND w.nprio = v_place.nprio
                AND w.seq = v_place.seq;
            RETURN v_place;
        END IF;
        -- Everything up to the bound is in other hands: what is left of this queue lies behind it.
        SELECT array_agg(h.queue ORDER BY h.nprio, h.seq), array_agg(h.nprio ORDER BY h.nprio, h.seq),
               array_agg(h.seq ORDER BY h.nprio, h.seq)
        INTO v_queues, v_nprios, v_seqs
        FROM (SELECT * FROM unnest(v_queues[2:], v_nprios[2:], v_seqs[2:]) o(queue, nprio, seq)
              UNION ALL
              (SELECT w.queue, w.nprio, w.seq FROM tf.wait w
               WHERE w.queue = v_queues[1] AND (w.nprio, w.seq) >= (v_bound_nprio, v_bound_seq)
                   AND (w.exclude_agents IS NULL OR NOT p_agent = ANY (w.exclude_agents))
               ORDER BY w.nprio, w.seq LIMIT 1)) h;
    END LOOP;
    RETURN NULL;
END
$$;
