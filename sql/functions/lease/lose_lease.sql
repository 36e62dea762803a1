-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends a lease that was just deleted because its time is over.  Returns what became of it:
--   cancelled    its job had been cancelled, and the agent never confirmed that
--   undelivered  the agent never asked about it: nothing ran, the job waits again, for anybody
--   retry        lost, and the job is to be tried again (tfx.plan_retry)
--   agent_lost   the job has ended
CREATE FUNCTION tfx.lose_lease(p_row tf.lease) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_plan record;
BEGIN
    IF p_row.job_state = 'cancelled' THEN
        PERFORM tfx.record_event(p_row.job_id, p_row.attempt, 'cancelling',
            CASE WHEN p_row.confirmed IS NULL THEN 'undelivered' ELSE 'lose' END, p_row.agent, NULL);
        RETURN 'cancelled';
    ELSIF p_row.confirmed IS NULL THEN
        PERFORM tfx.requeue_job(p_row, 'undelivered', 'undelivered');
        RETURN 'undelivered';
    END IF;
    SELECT * INTO v_plan FROM tfx.plan_retry(p_row, '{agent_lost}');
    IF v_plan.retries THEN
        PERFORM tfx.requeue_job(p_row, 'retry', 'agent_lost', NULL, v_plan.exclude, v_plan.not_before);
        RETURN 'retry';
    END IF;
    PERFORM tfx.end_job('running', p_row, 'lose', 'complete', 'agent_lost', NULL);
    RETURN 'agent_lost';
END
$$;
