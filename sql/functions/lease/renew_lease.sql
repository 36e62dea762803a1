-- SPDX-License-Identifier: GPL-3.0-or-later
-- Renews a lease by its token, or without one by the agent's name when the agent asked for no lease.
-- After the end of the job: its state, and no expires_at.
--   TF404  no such job        TF409  the lease belongs to somebody else by now
CREATE FUNCTION api.renew_lease(p_id uuid, p_agent text, p_token text)
RETURNS TABLE (job_state text, cancelled boolean, expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_found record;
    v_state text;
    v_until timestamptz;
BEGIN
    -- Nearly all calls end here: the lease of this token is there, so its attempt is the newest.
    UPDATE tf.lease l
    SET confirmed = coalesce(l.confirmed, now()),
        lease_until = now() + make_interval(secs => l.lease_s)
    WHERE l.job_id = p_id AND l.token::text = lower(p_token) AND l.lease_s IS NOT NULL
        AND l.job_state <> 'cancelled' AND isfinite(l.lease_until)
    RETURNING l.job_state, l.lease_until INTO v_state, v_until;
    IF FOUND THEN
        RETURN QUERY SELECT v_state, false, tfx.format_micros(v_until);
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM tf.job j WHERE j.id = p_id) THEN
        RAISE EXCEPTION 'job "%" does not exist', p_id USING ERRCODE = 'TF404';
    END IF;
    SELECT * INTO v_found FROM tfx.find_attempt(p_id, p_agent, p_token);
    UPDATE tf.lease l
    SET confirmed = coalesce(l.confirmed, now()),
        lease_until = now() + make_interval(secs => coalesce(
            l.lease_s, tfx.find_lease_seconds(p_id, l.job_state)))
    WHERE l.job_id = p_id AND l.attempt = v_found.attempt
        AND (p_token IS NOT NULL OR l.agent = p_agent AND l.lease_s IS NULL)
        AND (p_token IS NULL OR l.token::text = lower(p_token)) AND isfinite(l.lease_until)
    RETURNING l.lease_until INTO v_until;
    v_state := tfx.find_state(p_id);
    IF v_state = 'cancelled' THEN
        PERFORM tfx.confirm_cancel(p_id, p_agent, p_token);
        v_until := NULL;
    ELSIF v_until IS NULL AND NOT v_state IN (SELECT unnest(tfx.list_final_states())) THEN
        RAISE EXCEPTION 'job "%" is not leased to this agent any more', p_id USING ERRCODE = 'TF409';
    END IF;
    RETURN QUERY SELECT v_state, v_state = 'cancelled', tfx.format_micros(v_until);
END
$$;
