-- SPDX-License-Identifier: GPL-3.0-or-later
-- The state an agent posted may be a phase, which began at p_at unless that is known already.  A phase
-- that has ended began before, whoever tells it now.
CREATE FUNCTION tfx.begin_phase(p_id uuid, p_attempt int, p_job_state text, p_at timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT p_job_state = ANY (enum_range(NULL::tf.phase_name)::text[]) THEN
        RETURN;
    END IF;
    INSERT INTO tf.phase AS p (job_id, attempt, phase, started_at)
    VALUES (p_id, p_attempt, p_job_state::tf.phase_name, p_at)
    ON CONFLICT (job_id, attempt, phase) DO UPDATE
    SET started_at = EXCLUDED.started_at WHERE p.started_at IS NULL AND p.ended_at IS NULL;
END
$$;
