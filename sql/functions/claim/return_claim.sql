-- SPDX-License-Identifier: GPL-3.0-or-later
-- Gives a claim back whose answer could not be sent.  Only the token decides; false: the lease is
-- another one by now, has ended, or its agent has already been heard of.  p_delay_s: nobody gets the job
-- before so many seconds have passed, since the answer would fail again.
CREATE FUNCTION api.return_claim(p_id uuid, p_token text, p_delay_s int DEFAULT 0)
RETURNS TABLE (returned boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_lease tf.lease;
BEGIN
    DELETE FROM tf.lease l
    WHERE l.job_id = p_id AND l.token::text = lower(p_token) AND l.confirmed IS NULL
    RETURNING l.* INTO v_lease;
    IF FOUND AND v_lease.job_state = 'cancelled' THEN
        PERFORM tfx.record_event(p_id, v_lease.attempt, 'cancelling', 'return', v_lease.agent, NULL);
    ELSIF FOUND THEN
        PERFORM tfx.requeue_job(v_lease, 'return', 'returned', p_not_before => CASE WHEN p_delay_s > 0
            THEN clock_timestamp() + make_interval(secs => p_delay_s) END);
    END IF;
    RETURN QUERY SELECT v_lease.job_id IS NOT NULL;
END
$$;
