-- SPDX-License-Identifier: GPL-3.0-or-later
-- What becomes of a renewal that tfx.keep_leases() did not make: by the agent's name when it asked for
-- no lease, of a job that is cancelled or has ended (no lease_until), or of somebody else's.
--   TF404  no such job        TF409  the lease belongs to somebody else by now
CREATE FUNCTION tfx.judge_renewal(p_id uuid, p_agent text, p_token text, OUT job_state text,
                                  OUT lease_until timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_found record;
BEGIN
    IF NOT EXISTS (SELECT FROM tf.job j WHERE j.id = p_id) THEN
        RAISE EXCEPTION 'job "%" does not exist', p_id USING ERRCODE = 'TF404';
    END IF;
    SELECT * INTO v_found FROM tfx.find_attempt(p_id, p_agent, p_token);
    UPDATE tf.lease l
    SET confirmed = coalesce(l.confirmed, now()),
        lease_until = CASE WHEN l.left_at IS NULL THEN now() + make_interval(secs => coalesce(
            l.lease_s, tfx.find_lease_seconds(p_id, l.job_state))) ELSE l.lease_until END
    WHERE l.job_id = p_id AND l.attempt = v_found.attempt
        AND (p_token IS NOT NULL OR l.agent = p_agent AND l.lease_s IS NULL)
        AND (p_token IS NULL OR l.token::text = lower(p_token)) AND isfinite(l.lease_until)
    RETURNING l.lease_until INTO lease_until;
    job_state := tfx.find_state(p_id);
    IF job_state = 'cancelled' THEN
        PERFORM tfx.confirm_cancel(p_id, p_agent, p_token);
        lease_until := NULL;
    ELSIF lease_until IS NULL AND NOT job_state IN (SELECT unnest(tfx.list_final_states())) THEN
        RAISE EXCEPTION 'job "%" is not leased to this agent any more', p_id USING ERRCODE = 'TF409';
    END IF;
END
$$;
