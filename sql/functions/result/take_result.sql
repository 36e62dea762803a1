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
    v_ends boolean := v.newest AND coalesce(p_job_state IN ('complete', 'completed'), false);
    v_queue text;
BEGIN
    IF v.newest AND NOT v_ends THEN
        PERFORM tfx.show_state(p_id, p_row, v.attempt, p_agent, p_token, p_job_state, v_at);
    END IF;
    IF num_nonnulls(p_status, p_device_info) > 0 THEN
        PERFORM tfx.store_results(ARRAY[p_id], ARRAY[v.attempt], ARRAY[v.week], ARRAY[p_status],
                                  ARRAY[p_device_info], v_at);
    END IF;
    IF v_ends THEN
        v_queue := tfx.finish_job(p_id, p_state, p_row, v, p_job_state, p_agent, p_stopped, p_status);
    ELSIF v.newest AND p_stopped IS NOT NULL THEN
        PERFORM tfx.mark_stop(p_id, v.attempt, p_stopped);
    END IF;
    -- To end is a change already (tfx.end_jobs, tfx.requeue_job).
    IF NOT v_ends OR p_state IS DISTINCT FROM 'running' THEN
        PERFORM tfx.count_change(p_id, v.attempt);
    END IF;
    RETURN v_queue;
END
$$;
