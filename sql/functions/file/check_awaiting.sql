-- SPDX-License-Identifier: GPL-3.0-or-later
-- The week to keep a job's attachments in; NULL: they have been received already.
--   TF422  the job is unknown, does not wait, or has no attachments
CREATE FUNCTION tfx.check_awaiting(p_id uuid) RETURNS date
LANGUAGE plpgsql AS $$
DECLARE
    v_job record;
BEGIN
    SELECT j.attachments, j.week, h.why = 'attachments' AS held,
           coalesce(w.job_id, h.job_id) IS NOT NULL AS waits
    INTO v_job
    FROM tf.job j
    LEFT JOIN tf.hold h ON h.job_id = j.id
    LEFT JOIN tf.wait w ON w.queue = j.queue AND w.seq = j.seq
        AND w.nprio = tfx.negate_priority(j.priority)
    WHERE j.id = p_id;
    IF NOT FOUND OR NOT v_job.waits THEN
        RAISE EXCEPTION 'job "%" is not waiting', p_id USING ERRCODE = 'TF422';
    ELSIF NOT v_job.attachments THEN
        RAISE EXCEPTION 'job "%" is not awaiting attachments', p_id USING ERRCODE = 'TF422';
    END IF;
    RETURN CASE WHEN v_job.held THEN v_job.week END;
END
$$;
