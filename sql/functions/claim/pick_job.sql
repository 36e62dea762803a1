-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes the best job for one agent off tf.wait, over several queues; NULLs when there is none.
-- Merges the queues by their best rows: the queue with the best head is searched for a row nobody
-- holds, but only up to the head of the next queue, so a worse job is never taken while a better
-- one is free.  Jobs that exclude the agent are scanned past.
CREATE FUNCTION tfx.pick_job(p_agent text, p_queues text[]) RETURNS tf.wait
LANGUAGE plpgsql AS $$
DECLARE
    v_head record;
    v_bound_nprio bigint;
    v_bound_seq bigint;
    v_heads tf.wait[];
    v_place tf.wait;
BEGIN
    SELECT array_agg((q.queue, p.nprio, p.seq, p.job_id, p.week, 0, 0, NULL, NULL, NULL)::tf.wait
                     ORDER BY p.nprio, p.seq) INTO v_heads
    FROM (SELECT DISTINCT u.queue FROM unnest(p_queues) u(queue)) q
    CROSS JOIN LATERAL tfx.find_head(p_agent, q.queue, -9223372036854775808, 0) p;
    WHILE cardinality(v_heads) > 0 LOOP
        v_bound_nprio := coalesce(v_heads[2].nprio, 9223372036854775807);
        v_bound_seq := coalesce(v_heads[2].seq, 9223372036854775807);
        SELECT w.* INTO v_place
        FROM tf.wait w
        WHERE w.queue = v_heads[1].queue
            AND (w.nprio, w.seq) >= (v_heads[1].nprio, v_heads[1].seq)
            AND (w.nprio, w.seq) < (v_bound_nprio, v_bound_seq)
            AND (w.exclude_agents IS NULL OR NOT p_agent = ANY (w.exclude_agents))
        ORDER BY w.nprio, w.seq LIMIT 1
        FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            DELETE FROM tf.wait w WHERE w.queue = v_place.queue AND w.nprio = v_place.nprio
                AND w.seq = v_place.seq;
            RETURN v_place;
        END IF;
        -- Everything up to the bound is in other hands: what is left of this queue lies behind it.
        SELECT array_agg(h ORDER BY h.nprio, h.seq) INTO v_heads
        FROM (SELECT * FROM unnest(v_heads[2:])
              UNION ALL
              SELECT p.* FROM tfx.find_head(p_agent, v_heads[1].queue, v_bound_nprio, v_bound_seq) p
              WHERE p.job_id IS NOT NULL) h;
    END LOOP;
    RETURN NULL;
END
$$;
