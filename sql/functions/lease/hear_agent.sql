-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent asks about a job: a sign of life for its lease.  A token it brings must be that of the
-- newest attempt, as in tfx.find_attempt, but nothing is written for a job that is not ours.  By the answer
-- an agent knows that its claim is confirmed and begins: a lease that ends at this moment, or was given up, is
-- none any more.
--   TF409  the token is not that of the newest attempt, or its lease is over
CREATE FUNCTION tfx.hear_agent(p_id uuid, p_agent text, p_token text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_lease tf.lease := tfx.find_lease(p_id);
    v_token uuid := v_lease.token;
    v_lives boolean;
BEGIN
    IF p_token IS NOT NULL AND v_token IS NULL THEN
        SELECT a.token INTO v_token FROM tf.attempt a
        WHERE a.job_id = p_id ORDER BY a.attempt DESC LIMIT 1;
    END IF;
    v_lives := tfx.touch_lease(v_lease, p_agent, p_token) AND coalesce(isfinite(v_lease.lease_until), true);
    IF p_token IS NOT NULL AND (NOT v_lives OR v_token::text IS DISTINCT FROM lower(p_token)) THEN
        RAISE EXCEPTION 'job "%" is not leased under this token any more', p_id
            USING ERRCODE = 'TF409';
    END IF;
END
$$;
