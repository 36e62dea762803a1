-- SPDX-License-Identifier: GPL-3.0-or-later
-- Puts a running job, just taken off tf.lease, back to its old place in its queue.
-- p_event: undelivered, return or retry; p_exclude: this agent is not to get it again, or NULL.
CREATE FUNCTION tfx.requeue_job(p_row tf.lease, p_event text, p_reason text, p_exclude text)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tf.wait (queue, nprio, seq, job_id, week, attempt, lost, exclude_agents)
    VALUES (p_row.queue, p_row.nprio, p_row.seq, p_row.job_id, p_row.week, p_row.attempt,
            p_row.lost + (p_event = 'retry')::int,
            CASE WHEN p_exclude IS NULL THEN p_row.exclude_agents
                 ELSE array_append(p_row.exclude_agents, p_exclude) END);
    UPDATE tf.attempt a SET ended_at = clock_timestamp(), reason = p_reason
    WHERE a.job_id = p_row.job_id AND a.attempt = p_row.attempt;
    PERFORM tfx.record_event(p_row.job_id, p_row.attempt, 'running', p_event, p_row.agent, p_reason);
END
$$;
