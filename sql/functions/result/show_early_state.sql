-- SPDX-License-Identifier: GPL-3.0-or-later
-- A state posted for a job that nobody has claimed yet.  num_nulls(): as in tfx.end_jobs().
CREATE FUNCTION tfx.show_early_state(p_id uuid, p_job_state text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_job tf.job;
BEGIN
    SELECT * INTO v_job FROM tf.job j WHERE j.id = p_id AND num_nulls(j.final_state) = 1;
    UPDATE tf.hold h SET job_state = p_job_state WHERE h.job_id = p_id AND h.attempt = 0;
    UPDATE tf.wait w SET job_state = p_job_state
    WHERE w.queue = v_job.queue AND w.nprio = tfx.negate_priority(v_job.priority)
        AND w.seq = v_job.seq AND w.attempt = 0;
END
$$;
