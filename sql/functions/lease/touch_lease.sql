-- SPDX-License-Identifier: GPL-3.0-or-later
-- A sign of life: the agent named in the lease made a request about the job.  Confirms it, and
-- renews it when less than two thirds are left.  p_by_token: the caller proved the lease's token
-- (tfx.find_attempt); without it only a lease of an agent that knows no tokens is renewed.
CREATE FUNCTION tfx.touch_lease(p_id uuid, p_agent text, p_by_token boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_lease tf.lease;
    v_span interval;
    v_renews boolean;
BEGIN
    SELECT * INTO v_lease FROM tf.lease l WHERE l.job_id = p_id;
    IF NOT FOUND OR NOT isfinite(v_lease.lease_until)
        OR NOT (p_by_token OR v_lease.agent IS NOT DISTINCT FROM p_agent) THEN
        RETURN;
    END IF;
    v_renews := p_by_token OR v_lease.lease_s IS NULL;
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
