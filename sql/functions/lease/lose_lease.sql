-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends a lease that was just deleted because its time is over.  Returns what became of it:
--   cancelled    its job had been cancelled, and the agent never confirmed that
--   undelivered  the agent never asked about it: nothing ran, the job waits again, for anybody
--   retry        lost before the test phase, for the first time: the job waits again, and an agent
--                that knows no tokens does not get it back (it would fail on its own leftovers)
--   agent_lost   the job has ended
CREATE FUNCTION tfx.lose_lease(p_row tf.lease) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF p_row.job_state = 'cancelled' THEN
        PERFORM tfx.record_event(p_row.job_id, p_row.attempt, 'cancelling',
            CASE WHEN p_row.confirmed IS NULL THEN 'undelivered' ELSE 'lose' END, p_row.agent, NULL);
        RETURN 'cancelled';
    ELSIF p_row.confirmed IS NULL THEN
        PERFORM tfx.requeue_job(p_row, 'undelivered', 'undelivered', NULL);
        RETURN 'undelivered';
    ELSIF p_row.lost = 0
        AND p_row.job_state IN ('running', 'setup', 'provision', 'firmware_update') THEN
        PERFORM tfx.requeue_job(p_row, 'retry', 'agent_lost',
                                CASE WHEN p_row.lease_s IS NULL THEN p_row.agent END);
        RETURN 'retry';
    END IF;
    PERFORM tfx.end_job('running', p_row, 'lose', 'complete', 'agent_lost', NULL);
    RETURN 'agent_lost';
END
$$;
