-- SPDX-License-Identifier: GPL-3.0-or-later
-- What becomes of a lease by a sign of life: the agent named in it made a request about the job.  That
-- confirms it, and renews it when less than two thirds are left.  With a token it must be the lease's,
-- whatever it was a moment ago (tfx.find_attempt): the job may have another agent by now.  Without one
-- only a lease of an agent that knows no tokens is renewed, unless it left the job.  Writes nothing.
-- One that was given up (its agent was started anew) is confirmed and not renewed: something ran.
-- p_lease: may be no lease (no agent).  p_turns_to: the agent begins to do something else, or NULL: that says
-- how long it may be silent from now on, unless it asked for a lease, which has its own time.
CREATE FUNCTION tfx.extend_lease(p_lease tf.lease, p_agent text, p_token text,
                                 p_turns_to text DEFAULT NULL) RETURNS tf.lease
LANGUAGE plpgsql AS $$
DECLARE
    v_renews boolean;
    v_turns boolean;
    v_span interval;
BEGIN
    IF p_lease.agent IS NULL
        OR NOT (CASE WHEN p_token IS NULL THEN p_lease.agent IS NOT DISTINCT FROM p_agent
                ELSE p_lease.token::text = lower(p_token) END) THEN
        RETURN p_lease;
    END IF;
    v_renews := isfinite(p_lease.lease_until)
        AND (p_token IS NOT NULL OR p_lease.lease_s IS NULL AND p_lease.left_at IS NULL);
    IF v_renews THEN
        v_turns := p_turns_to IS NOT NULL AND p_lease.lease_s IS NULL AND p_lease.left_at IS NULL
            AND p_lease.agent IS NOT DISTINCT FROM p_agent;
        v_span := make_interval(secs => coalesce(p_lease.lease_s, tfx.find_lease_seconds(
            p_lease.job_id, CASE WHEN v_turns THEN p_turns_to ELSE p_lease.job_state END)));
        IF v_turns OR p_lease.confirmed IS NULL OR p_lease.lease_until <= now() + v_span * 2 / 3 THEN
            p_lease.lease_until := now() + v_span;
        END IF;
    END IF;
    p_lease.confirmed := coalesce(p_lease.confirmed, now());
    RETURN p_lease;
END
$$;
