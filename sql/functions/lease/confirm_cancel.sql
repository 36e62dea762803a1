-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent is told that its job is cancelled: the lease of one that was cancelled ends.  Not for
-- others that ask, nor for an agent with leases that does not show the token.
CREATE FUNCTION tfx.confirm_cancel(p_id uuid, p_agent text, p_token text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_lease tf.lease;
BEGIN
    DELETE FROM tf.lease l
    WHERE l.job_id = p_id AND l.job_state = 'cancelled'
        AND CASE WHEN p_token IS NULL THEN l.agent = p_agent AND l.lease_s IS NULL
                 ELSE l.token::text = lower(p_token) END
    RETURNING l.* INTO v_lease;
    IF FOUND THEN
        PERFORM tfx.record_event(p_id, v_lease.attempt, 'cancelling', 'confirm', v_lease.agent, NULL);
    END IF;
END
$$;
