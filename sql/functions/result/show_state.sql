-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent posted a state (or none) at p_at, while the job is open: a sign of life for its lease, and the
-- state shows.  A job that waits again after an attempt shows waiting whatever the old agent says.
-- p_place: where the job is, locked (tfx.lock_job); p_job_state: NULL, waiting, cancelled show nothing.
CREATE FUNCTION tfx.show_state(p_id uuid, p_place tf.lease, p_attempt int, p_agent text,
                               p_token text, p_job_state text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_new tf.lease := tfx.extend_lease(p_place, p_agent, p_token);
    v_shows boolean := coalesce(NOT p_job_state IN ('waiting', 'cancelled'), false);
BEGIN
    IF v_shows AND p_place.agent IS NOT NULL AND isfinite(p_place.lease_until)
        AND NOT p_place.job_state IN (p_job_state, 'cancelled') THEN
        v_new.job_state := p_job_state;
        -- What it does now says how long it may be silent; a lease asked for has its own time.
        IF p_place.lease_s IS NULL AND p_place.agent IS NOT DISTINCT FROM p_agent
            AND p_place.left_at IS NULL THEN
            v_new.lease_until :=
                now() + make_interval(secs => tfx.find_lease_seconds(p_id, p_job_state));
        END IF;
    END IF;
    IF v_new IS DISTINCT FROM p_place THEN
        UPDATE tf.lease l
        SET confirmed = v_new.confirmed, lease_until = v_new.lease_until,
            job_state = v_new.job_state
        WHERE l.job_id = p_id;
    END IF;
    IF v_shows AND p_attempt > 0 THEN
        PERFORM tfx.begin_phase(p_id, p_attempt, p_job_state, p_at);
    ELSIF v_shows THEN
        PERFORM tfx.show_early_state(p_id, p_job_state);
    END IF;
END
$$;
