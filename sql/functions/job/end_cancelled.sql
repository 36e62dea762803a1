-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends a job that is locked (tfx.lock_job) as cancelled.  If an agent has it, its lease stays: the agent
-- is busy until it knows (tfx.confirm_cancel), posts the end or is lost.
CREATE FUNCTION tfx.end_cancelled(p_state text, p_row tf.lease, p_who text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_state = 'running' THEN
        UPDATE tf.lease l SET job_state = 'cancelled' WHERE l.job_id = p_row.job_id;
    ELSE
        PERFORM tfx.drop_place(p_state, p_row);
    END IF;
    PERFORM tfx.end_job(p_state, p_row, 'cancel', 'cancelled', 'cancelled', p_who);
END
$$;
