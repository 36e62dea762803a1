-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps why a phase of an attempt was stopped: the first time-out counts, anything else is ignored.
-- Called with the lease locked or looked at: the row of the attempt comes after it.
CREATE FUNCTION tfx.mark_stop(p_id uuid, p_attempt int, p_stopped text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_stopped IN ('global_timeout', 'output_timeout') THEN
        UPDATE tf.attempt a SET stop_reason = p_stopped
        WHERE a.job_id = p_id AND a.attempt = p_attempt AND a.stop_reason IS NULL;
    END IF;
END
$$;
