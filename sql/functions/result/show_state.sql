-- SPDX-License-Identifier: GPL-3.0-or-later
-- Shows a state an agent posted at p_at, while the job is open.  A job that waits again after an attempt
-- shows waiting whatever the old agent says.  A phase that has ended began before, whoever tells it now.
CREATE FUNCTION tfx.show_state(p_id uuid, p_attempt int, p_agent text, p_job_state text,
                               p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_job tf.job;
BEGIN
    IF p_job_state IS NULL OR p_job_state IN ('waiting', 'cancelled') THEN
        RETURN;
    END IF;
    UPDATE tf.lease l
    SET job_state = p_job_state,
        -- What it does now says how long it may be silent; a lease asked for has its own time.
        lease_until = CASE WHEN l.lease_s IS NOT NULL OR l.agent IS DISTINCT FROM p_agent
                OR l.left_at IS NOT NULL
            THEN l.lease_until
            ELSE now() + make_interval(secs => tfx.find_lease_seconds(p_id, p_job_state)) END
    WHERE l.job_id = p_id AND l.attempt = p_attempt AND l.job_state <> p_job_state
        AND l.job_state <> 'cancelled' AND isfinite(l.lease_until);
    IF p_attempt > 0 THEN
        INSERT INTO tf.phase AS p (job_id, attempt, phase, started_at)
        SELECT p_id, p_attempt, e.name, p_at
        FROM unnest(enum_range(NULL::tf.phase_name)) e(name) WHERE e.name::text = p_job_state
        ON CONFLICT (job_id, attempt, phase) DO UPDATE
        SET started_at = EXCLUDED.started_at WHERE p.started_at IS NULL AND p.ended_at IS NULL;
        RETURN;
    END IF;
    SELECT * INTO v_job FROM tf.job j WHERE j.id = p_id AND j.final_state IS NULL;
    UPDATE tf.hold h SET job_state = p_job_state WHERE h.job_id = p_id AND h.attempt = 0;
    UPDATE tf.wait w SET job_state = p_job_state
    WHERE w.queue = v_job.queue AND w.nprio = tfx.negate_priority(v_job.priority)
        AND w.seq = v_job.seq AND w.attempt = 0;
END
$$;
