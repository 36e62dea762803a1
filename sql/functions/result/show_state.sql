-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent posted a state (or none) at p_at, while the job is open: tfx.judge_sign() for its lease, and
-- the state may be a phase.
-- p_place: where the job is, locked (tfx.lock_job); p_job_state: NULL, waiting, cancelled show nothing.
CREATE FUNCTION tfx.show_state(p_id uuid, p_place tf.lease, p_attempt int, p_agent text,
                               p_token text, p_job_state text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_new tf.lease := tfx.judge_sign(p_place, p_agent, p_token, p_job_state);
BEGIN
    IF v_new IS DISTINCT FROM p_place THEN
        UPDATE tf.lease l
        SET confirmed = v_new.confirmed, lease_until = v_new.lease_until,
            job_state = v_new.job_state
        WHERE l.job_id = p_id;
    END IF;
    IF p_attempt > 0 THEN
        PERFORM tfx.begin_phases(ARRAY[p_id], ARRAY[p_attempt], ARRAY[p_job_state], p_at);
    ELSIF NOT p_job_state IN ('waiting', 'cancelled') THEN
        PERFORM tfx.show_early_state(p_id, p_job_state);
    END IF;
END
$$;
