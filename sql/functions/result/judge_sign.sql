-- SPDX-License-Identifier: GPL-3.0-or-later
-- What becomes of a job's lease by what an agent posted, a state or none: a sign of life, and the state
-- shows.  A job that waits again after an attempt shows waiting whatever the old agent says.
-- p_place: where the job is (tfx.lock_job).  Writes nothing.
CREATE FUNCTION tfx.judge_sign(p_place tf.lease, p_agent text, p_token text, p_job_state text)
RETURNS tf.lease
LANGUAGE plpgsql AS $$
DECLARE
    v_turns_to text := CASE
        WHEN p_place.agent IS NOT NULL AND isfinite(p_place.lease_until)
            AND NOT p_job_state IN ('waiting', 'cancelled')
            AND NOT p_place.job_state IN (p_job_state, 'cancelled') THEN p_job_state END;
    v_new tf.lease := tfx.extend_lease(p_place, p_agent, p_token, v_turns_to);
BEGIN
    v_new.job_state := coalesce(v_turns_to, v_new.job_state);
    RETURN v_new;
END
$$;
