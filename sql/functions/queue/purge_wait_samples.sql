-- SPDX-License-Identifier: GPL-3.0-or-later
-- Deletes samples of waiting times nobody looks at any more: each queue keeps its newest 1,000 (and
-- those taken at the same moment as the last of them).  At most p_limit at a time; returns how many.
CREATE FUNCTION tfx.purge_wait_samples(p_limit int) RETURNS int
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_queue text;
    v_oldest timestamptz;
    v_count int;
    v_purged int := 0;
BEGIN
    FOR v_queue IN SELECT s.queue FROM tfx.list_sampled_queues() s LOOP
        SELECT s.at INTO v_oldest FROM tf.wait_sample s
        WHERE s.queue = v_queue COLLATE "C" ORDER BY s.at DESC OFFSET 999 LIMIT 1;
        CONTINUE WHEN NOT FOUND;
        DELETE FROM tf.wait_sample s
        WHERE s.ctid = ANY (ARRAY(
            SELECT o.ctid FROM tf.wait_sample o
            WHERE o.queue = v_queue COLLATE "C" AND o.at < v_oldest
            ORDER BY o.at LIMIT p_limit - v_purged FOR UPDATE SKIP LOCKED));
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_purged := v_purged + v_count;
        EXIT WHEN v_purged >= p_limit;
    END LOOP;
    RETURN v_purged;
END
$$;
