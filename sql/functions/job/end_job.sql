-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes the end of a job that is locked (tfx.lock_job): its second and last version.
-- p_final: complete, completed or cancelled, shown to clients from now on.  p_status: the exit codes of
-- its last attempt, if the caller knows them.
-- num_nulls(): IS NULL would let a plan made while there were few jobs read all that have not ended, by their
-- own index.
CREATE FUNCTION tfx.end_job(p_state text, p_row tf.lease, p_event text, p_final text, p_outcome text,
                            p_who text, p_status text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_agent text := p_row.agent;
    v_week date := p_row.attempt_week;
    v_started timestamptz := p_row.claimed_at;
    v_status text := p_status;
    v_secrets boolean;
BEGIN
    IF v_agent IS NULL THEN -- it waits: what the last attempt left behind, or what came before the first
        SELECT a.agent, a.week, CASE WHEN a.attempt > 0 THEN a.claimed_at END
        INTO v_agent, v_week, v_started
        FROM tf.attempt a WHERE a.job_id = p_row.job_id ORDER BY a.attempt DESC LIMIT 1;
    END IF;
    IF v_status IS NULL AND v_week IS NOT NULL THEN
        v_status := tfx.find_status(v_week, p_row.job_id, p_row.attempt);
    END IF;
    UPDATE tf.job j
    SET final_state = p_final, outcome = p_outcome, attempts = p_row.attempt, agent = v_agent,
        finished_at = clock_timestamp(), exit_codes = v_status::jsonb, started_at = v_started
    WHERE j.id = p_row.job_id AND num_nulls(j.final_state) = 1
    RETURNING j.secrets INTO v_secrets;
    DELETE FROM tf.deadline d WHERE d.job_id = p_row.job_id;
    IF v_secrets THEN
        PERFORM tfx.drop_job_secrets(p_row.job_id);
    END IF;
    UPDATE tf.attempt a
    SET ended_at = clock_timestamp(),
        reason = CASE WHEN p_outcome IN ('cancelled', 'agent_lost') THEN p_outcome ELSE 'complete' END
    WHERE a.job_id = p_row.job_id AND a.attempt = p_row.attempt AND a.ended_at IS NULL;
    PERFORM tfx.record_event(p_row.job_id, p_row.attempt, p_state, p_event, p_who, p_outcome);
    INSERT INTO tf.queue_count AS c (queue, shard, finished)
    VALUES (p_row.queue, tfx.take_shard(), 1)
    ON CONFLICT (queue, shard) DO UPDATE SET finished = c.finished + 1;
END
$$;
