-- SPDX-License-Identifier: GPL-3.0-or-later
-- How a job's story goes on as long as it waits, for tfx.tell_events(): why it does at this moment, since
-- the last event of the job or of an agent that serves its queue.  No row: it does not wait.
CREATE FUNCTION tfx.tell_wait(p_id uuid)
RETURNS TABLE (anchor bigint, micros bigint, n int, at timestamptz, what text, attempt int, who text,
               why text, phase text, exit_code bigint, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_wait record;
    v_last tf.event;
BEGIN
    SELECT j.queue, coalesce(w.exclude_agents, h.exclude_agents) AS exclude_agents, h.why,
           coalesce(w.attempt, h.attempt) AS attempt
    INTO v_wait
    FROM tf.job j
    LEFT JOIN tf.wait w ON w.queue = j.queue AND w.nprio = tfx.negate_priority(j.priority)
        AND w.seq = j.seq
    LEFT JOIN tf.hold h ON h.job_id = j.id
    WHERE j.id = p_id AND (w.job_id IS NOT NULL OR h.job_id IS NOT NULL);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO v_last FROM tf.event e WHERE e.job_id = p_id ORDER BY e.id DESC LIMIT 1;
    SELECT greatest(v_last.at, max(l.at)) INTO at
    FROM tf.agent a
    CROSS JOIN LATERAL (SELECT o.at FROM tf.agent_event o WHERE o.agent = a.name
                        ORDER BY o.id DESC LIMIT 1) l
    WHERE v_wait.why IS NULL AND v_wait.queue = ANY (a.queues);
    RETURN QUERY
    SELECT v_last.id, (extract(epoch FROM at) * 1000000)::bigint, 99, at, 'waiting', v_wait.attempt,
           NULL, coalesce(v_wait.why, tfx.explain_wait(v_wait.queue, v_wait.exclude_agents)), NULL,
           NULL::bigint, NULL;
END
$$;
