-- SPDX-License-Identifier: GPL-3.0-or-later
-- A sign of life (tfx.extend_lease) for a lease that was looked at and is not locked: it may have been
-- renewed for longer meanwhile, or have ended.
CREATE FUNCTION tfx.touch_lease(p_lease tf.lease, p_agent text, p_token text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_new tf.lease := tfx.extend_lease(p_lease, p_agent, p_token);
    v_renews boolean := v_new.lease_until <> p_lease.lease_until;
BEGIN
    IF p_lease.confirmed IS NULL AND v_new.confirmed IS NOT NULL THEN
        UPDATE tf.lease l
        SET confirmed = v_new.confirmed,
            lease_until = CASE WHEN v_renews THEN v_new.lease_until ELSE l.lease_until END
        WHERE l.job_id = p_lease.job_id AND l.token = p_lease.token;
    ELSIF v_renews THEN
        UPDATE tf.lease l SET lease_until = greatest(l.lease_until, v_new.lease_until)
        WHERE l.job_id = p_lease.job_id AND l.token = p_lease.token AND isfinite(l.lease_until);
    END IF;
END
$$;
