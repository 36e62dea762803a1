-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends at most p_limit jobs that have waited for longer than they want; returns which.  One that an
-- agent has is not looked at again until its claim comes back (tfx.requeue_job); one that cannot be met,
-- in a minute.  The deadline is read again under the lock of the job's place; it is never locked
-- before that.
CREATE FUNCTION tfx.expire_jobs(p_limit int) RETURNS uuid[]
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_id uuid;
    v record;
    v_done uuid[] := '{}';
BEGIN
    FOR v_id IN
        SELECT o.job_id
        FROM (SELECT d.job_id FROM tf.deadline d WHERE d.at <= now() ORDER BY d.at LIMIT p_limit) o
        ORDER BY o.job_id
    LOOP
        SELECT * INTO v FROM tfx.lock_job(v_id);
        IF v.ret_state IN ('held', 'waiting') THEN
            CONTINUE WHEN NOT EXISTS (SELECT FROM tf.deadline d WHERE d.job_id = v_id AND d.at <= now());
            PERFORM tfx.drop_place(v.ret_state, v.ret_row);
            PERFORM tfx.end_job(v.ret_state, v.ret_row, 'expire', 'complete', 'expired', NULL);
            v_done := v_done || v_id;
        ELSE
            UPDATE tf.deadline d
            SET at = CASE v.ret_state WHEN 'moving' THEN now() + interval '1 min' ELSE 'infinity' END
            WHERE d.job_id = v_id AND d.at <= now();
        END IF;
    END LOOP;
    RETURN v_done;
END
$$;
