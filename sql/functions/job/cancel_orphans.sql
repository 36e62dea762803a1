-- SPDX-License-Identifier: GPL-3.0-or-later
-- Cancels at most p_limit living jobs whose parent was cancelled, or whose parent's agent was lost since
-- they were submitted: nobody is left to use what they get, and another attempt of the parent makes
-- its own.  Returns which.  Looking at all living children, and not only when a parent ends,
-- meets those too that were being submitted at that moment.
CREATE FUNCTION tfx.cancel_orphans(p_limit int) RETURNS uuid[]
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_child record;
    v record;
    v_done uuid[] := '{}';
BEGIN
    FOR v_child IN
        SELECT c.id, c.parent_id
        FROM tf.job c
        CROSS JOIN LATERAL (SELECT o.outcome FROM tf.job o WHERE o.id = c.parent_id LIMIT 1) p
        WHERE c.parent_id IS NOT NULL AND c.final_state IS NULL
            AND (p.outcome IN ('cancelled', 'agent_lost') OR EXISTS (
                SELECT FROM tf.attempt a
                WHERE a.job_id = c.parent_id AND a.reason = 'agent_lost' AND a.ended_at > c.created_at))
        ORDER BY c.id
    LOOP
        EXIT WHEN cardinality(v_done) = p_limit;
        SELECT * INTO v FROM tfx.lock_job(v_child.id);
        CONTINUE WHEN NOT v.ret_state IN ('held', 'waiting', 'running');
        PERFORM tfx.end_cancelled(v.ret_state, v.ret_row, 'job ' || v_child.parent_id);
        v_done := v_done || v_child.id;
    END LOOP;
    RETURN v_done;
END
$$;
