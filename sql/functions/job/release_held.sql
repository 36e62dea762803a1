-- SPDX-License-Identifier: GPL-3.0-or-later
-- Puts a job that was just deleted from tf.hold to its own place among those that can be claimed.
CREATE FUNCTION tfx.release_held(p_hold tf.hold) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tf.wait (queue, nprio, seq, job_id, week, attempt, lost, since, exclude_agents,
                         job_state)
    VALUES (p_hold.queue, p_hold.nprio, p_hold.seq, p_hold.job_id, p_hold.week, p_hold.attempt,
            p_hold.lost, p_hold.since, p_hold.exclude_agents, p_hold.job_state);
    PERFORM tfx.record_event(p_hold.job_id, p_hold.attempt, 'held', 'ready', NULL, p_hold.why);
END
$$;
