-- SPDX-License-Identifier: GPL-3.0-or-later
-- A sign of life: the agent named in the lease made a request about the job.  Confirms it, and
-- renews it when less than two thirds are left.  With a token it must be the lease's, whatever it was a
-- moment ago (tfx.find_attempt): the job may have another agent by now.  Without one only a lease of an
-- agent that knows no tokens is renewed, unless it left the job.
CREATE FUNCTION tfx.touch_lease(p_id uuid, p_agent text, p_token text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_lease tf.lease;
    v_span interval;
    v_renews boolean;
BEGIN
    SELECT * INTO v_lease FROM tf.lease l WHERE l.job_id = p_id;
    IF NOT FOUND OR NOT isfinite(v_lease.lease_until)
        OR NOT (CASE WHEN p_token IS NULL THEN v_lease.agent IS NOT DISTINCT FROM p_agent
                ELSE v_lease.token::text = lower(p_token) END) THEN
        RETURN;
    END IF;
    v_renews := p_token IS NOT NULL OR v_lease.lease_s IS NULL AND v_lease.left_at IS NULL;
    v_span := make_interval(secs => coalesce(
        v_lease.lease_s, tfx.find_lease_seconds(p_id, v_lease.job_state)));
    IF v_lease.confirmed IS NULL THEN
        UPDATE tf.lease l
        SET confirmed = now(),
            lease_until = CASE WHEN v_renews THEN now() + v_span
                               ELSE l.lease_until END
        WHERE l.job_id = p_id AND l.token = v_lease.token;
    ELSIF v_renews AND v_lease.lease_until <= now() + v_span * 2 / 3 THEN
        UPDATE tf.lease l SET lease_until = greatest(l.lease_until, now() + v_span)
        WHERE l.job_id = p_id AND l.token = v_lease.token AND isfinite(l.lease_until);
    END IF;
END
$$;
