-- SPDX-License-Identifier: GPL-3.0-or-later
-- A sign of life (tfx.extend_lease) for a lease that was looked at and is not locked: it may have been
-- renewed for longer meanwhile, or have ended.  Returns false if it was to be confirmed and has ended or was given
-- up: nobody counts what runs under it from now on.
CREATE FUNCTION tfx.touch_lease(p_lease tf.lease, p_agent text, p_token text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_new tf.lease := tfx.extend_lease(p_lease, p_agent, p_token);
    v_renews boolean := v_new.lease_until <> p_lease.lease_until;
    v_lives boolean := false;
BEGIN
    IF p_lease.confirmed IS NULL AND v_new.confirmed IS NOT NULL THEN
        UPDATE tf.lease l
        SET confirmed = v_new.confirmed,
            lease_until = CASE WHEN v_renews AND isfinite(l.lease_until) THEN v_new.lease_until
                               ELSE l.lease_until END
        WHERE l.job_id = p_lease.job_id AND l.token = p_lease.token
        RETURNING isfinite(l.lease_until) INTO v_lives;
        RETURN coalesce(v_lives, false);
    ELSIF v_renews THEN
        UPDATE tf.lease l SET lease_until = greatest(l.lease_until, v_new.lease_until)
        WHERE l.job_id = p_lease.job_id AND l.token = p_lease.token AND isfinite(l.lease_until);
    END IF;
    RETURN true;
END
$$;
