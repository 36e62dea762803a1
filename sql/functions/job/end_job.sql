-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes the end of a job that is locked (tfx.lock_job), as tfx.end_jobs() does for many.
-- p_final: complete, completed or cancelled, shown to clients from now on.  p_status: the exit codes of
-- its last attempt, if the caller knows them.
CREATE FUNCTION tfx.end_job(p_state text, p_row tf.lease, p_event text, p_final text, p_outcome text,
                            p_who text, p_status text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_status text := p_status;
BEGIN
    IF p_row.agent IS NULL THEN -- it waits: what the last attempt left behind, or what came before the first
        SELECT a.agent, a.week, CASE WHEN a.attempt > 0 THEN a.claimed_at END
        INTO p_row.agent, p_row.attempt_week, p_row.claimed_at
        FROM tf.attempt a WHERE a.job_id = p_row.job_id ORDER BY a.attempt DESC LIMIT 1;
    END IF;
    IF v_status IS NULL AND p_row.attempt_week IS NOT NULL THEN
        v_status := tfx.find_status(p_row.attempt_week, p_row.job_id, p_row.attempt);
    END IF;
    PERFORM tfx.end_jobs(p_state, ARRAY[p_row.job_id], ARRAY[p_row], p_event, ARRAY[p_final], p_outcome,
                         ARRAY[p_who], ARRAY[v_status]);
END
$$;
