-- SPDX-License-Identifier: GPL-3.0-or-later
-- What api.post_result() does with a job that is locked (p_state, p_row: tfx.lock_job).  Returns the queue
-- where it can be claimed again after that, or NULL.
--   TF409  the token is stale
CREATE FUNCTION tfx.take_result(p_id uuid, p_state text, p_row tf.lease, p_agent text, p_token text,
                                p_status text, p_device_info text, p_job_state text,
                                p_stopped text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := clock_timestamp(); -- one moment: the start of a phase is never behind its end
    v record := tfx.find_attempt(p_id, p_agent, p_token, p_row);
    v_ends boolean := coalesce(p_job_state IN ('complete', 'completed'), false);
    v_queue text;
BEGIN
    IF v.newest AND NOT v_ends THEN
        PERFORM tfx.show_state(p_id, p_row, v.attempt, p_agent, p_token, p_job_state, v_at);
    END IF;
    PERFORM tfx.store_result(p_id, v.attempt, v.week, p_status, p_device_info, v_at);
    IF v.newest AND v_ends THEN
        v_queue := tfx.finish_job(p_id, p_state, p_row, v, p_job_state, p_agent, p_stopped, p_status);
    ELSIF v.newest AND p_stopped IS NOT NULL THEN
        PERFORM tfx.mark_stop(p_id, v.attempt, p_stopped);
    END IF;
    PERFORM tfx.count_change(p_id, v.attempt);
    RETURN v_queue;
END
$$;
