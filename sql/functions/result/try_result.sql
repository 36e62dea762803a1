-- SPDX-License-Identifier: GPL-3.0-or-later
-- api.post_result() by whoever has the job's lease.  done: false if it is somebody else's, or there is none, or
-- another transaction holds it: nothing happened.  queue: where the job can be claimed again, or NULL.
CREATE FUNCTION tfx.try_result(p_id uuid, p_agent text, p_token text, p_status text, p_device_info text,
                               p_job_state text, p_stopped text, OUT done boolean, OUT queue text)
LANGUAGE plpgsql AS $$
DECLARE
    v_lease tf.lease;
BEGIN
    SELECT l.* INTO v_lease FROM tf.lease l
    WHERE l.job_id = p_id
        AND CASE WHEN p_token IS NULL THEN l.agent = p_agent ELSE l.token::text = lower(p_token) END
    FOR UPDATE SKIP LOCKED;
    done := FOUND;
    IF done THEN
        queue := tfx.take_result(
            p_id, CASE v_lease.job_state WHEN 'cancelled' THEN 'cancelling' ELSE 'running' END, v_lease,
            p_agent, p_token, p_status, p_device_info, p_job_state, p_stopped);
    END IF;
END
$$;
