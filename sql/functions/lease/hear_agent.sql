-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent asks about a job: a sign of life for its lease.  A token it brings must be that of the
-- newest attempt, as in tfx.find_attempt, but nothing is written for a job that is not ours.  By the answer
-- an agent knows that its claim is confirmed and begins: a lease that ends at this moment, or was given up, is
-- none any more, nor is an attempt that has ended while its job has not.
--   TF409  the token is not that of the newest attempt, or its lease is over
CREATE FUNCTION tfx.hear_agent(p_id uuid, p_agent text, p_token text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_lease tf.lease := tfx.find_lease(p_id);
    v_lives boolean := tfx.touch_lease(v_lease, p_agent, p_token);
    v_newest tf.attempt;
BEGIN
    IF p_token IS NULL THEN
        RETURN;
    ELSIF v_lease.job_id IS NOT NULL THEN
        v_lives := v_lives AND isfinite(v_lease.lease_until) AND v_lease.token::text = lower(p_token);
    ELSE
        SELECT * INTO v_newest FROM tf.attempt a
        WHERE a.job_id = p_id ORDER BY a.attempt DESC LIMIT 1;
        v_lives := v_newest.token::text = lower(p_token) AND EXISTS (
            SELECT FROM tf.job j WHERE j.id = p_id AND j.final_state IS NOT NULL);
    END IF;
    IF NOT coalesce(v_lives, false) THEN
        RAISE EXCEPTION 'job "%" is not leased under this token any more', p_id
            USING ERRCODE = 'TF409';
    END IF;
END
$$;
