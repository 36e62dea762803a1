-- SPDX-License-Identifier: GPL-3.0-or-later
-- States that agents posted may be phases, which began at p_at unless that is known already.  A phase
-- that has ended began before, whoever tells it now.  The arrays have an element for each attempt.
CREATE FUNCTION tfx.begin_phases(p_ids uuid[], p_attempts int[], p_job_states text[], p_at timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tf.phase AS p (job_id, attempt, phase, started_at)
    SELECT u.id, u.attempt, u.job_state::tf.phase_name, p_at
    FROM unnest(p_ids, p_attempts, p_job_states) u(id, attempt, job_state)
    WHERE u.job_state = ANY (enum_range(NULL::tf.phase_name)::text[])
    ON CONFLICT (job_id, attempt, phase) DO UPDATE
    SET started_at = EXCLUDED.started_at WHERE p.started_at IS NULL AND p.ended_at IS NULL;
END
$$;
