-- SPDX-License-Identifier: GPL-3.0-or-later
-- Puts a running job, just taken off tf.lease, back to its old place in its queue, or to tf.hold if it
-- may not be claimed before p_not_before.  p_event: undelivered, return or retry; p_reason of the attempt;
-- p_why of the event; p_exclude: this agent is not to get it again, or NULL.
CREATE FUNCTION tfx.requeue_job(p_row tf.lease, p_event text, p_reason text, p_why text DEFAULT NULL,
                                p_exclude text DEFAULT NULL, p_not_before timestamptz DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_lost int := p_row.lost + (p_event = 'retry')::int;
    v_excluded text[] := CASE WHEN p_exclude IS NULL THEN p_row.exclude_agents
                              ELSE array_append(p_row.exclude_agents, p_exclude) END;
BEGIN
    IF p_not_before IS NULL THEN
        INSERT INTO tf.wait (queue, nprio, seq, job_id, week, attempt, lost, exclude_agents)
        VALUES (p_row.queue, p_row.nprio, p_row.seq, p_row.job_id, p_row.week, p_row.attempt, v_lost,
                v_excluded);
    ELSE
        INSERT INTO tf.hold (job_id, queue, nprio, seq, week, attempt, lost, why, not_before,
                             exclude_agents)
        VALUES (p_row.job_id, p_row.queue, p_row.nprio, p_row.seq, p_row.week, p_row.attempt, v_lost,
                'backoff', p_not_before, v_excluded);
    END IF;
    UPDATE tf.attempt a SET ended_at = clock_timestamp(), reason = p_reason, version = a.version + 1
    WHERE a.job_id = p_row.job_id AND a.attempt = p_row.attempt;
    -- A retry waits anew; what was never delivered has been waiting all the time.
    UPDATE tf.deadline d
    SET since = CASE WHEN p_event = 'retry' THEN coalesce(p_not_before, now()) ELSE d.since END,
        at = CASE WHEN p_event = 'retry' THEN coalesce(p_not_before, now()) ELSE d.since END
             + make_interval(secs => d.seconds)
    WHERE d.job_id = p_row.job_id;
    PERFORM tfx.record_event(p_row.job_id, p_row.attempt, 'running',
                             CASE WHEN p_not_before IS NULL THEN p_event ELSE 'backoff' END,
                             p_row.agent, coalesce(p_why, p_reason));
END
$$;
