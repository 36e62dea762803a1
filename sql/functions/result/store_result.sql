-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what was posted for an attempt at p_at: each key replaces the one before as a whole, NULL leaves it.
-- Exit codes also become facts of the phases.  Called with the job's place locked, if it has one.
CREATE FUNCTION tfx.store_result(p_id uuid, p_attempt int, p_week date, p_status text,
                                 p_device_info text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_status IS NULL AND p_device_info IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO tf.result AS r (week, job_id, attempt, status, device_info)
    VALUES (p_week, p_id, p_attempt, p_status, p_device_info)
    ON CONFLICT (week, job_id, attempt) DO UPDATE
    SET status = coalesce(EXCLUDED.status, r.status),
        device_info = coalesce(EXCLUDED.device_info, r.device_info);
    INSERT INTO tf.phase AS p (job_id, attempt, phase, ended_at, exit_code)
    SELECT p_id, p_attempt, s.key::tf.phase_name, p_at, s.value::bigint
    FROM jsonb_each_text(p_status::jsonb) s
    ORDER BY s.key::tf.phase_name
    ON CONFLICT (job_id, attempt, phase) DO UPDATE
    SET ended_at = EXCLUDED.ended_at, exit_code = EXCLUDED.exit_code
    WHERE p.exit_code IS DISTINCT FROM EXCLUDED.exit_code;
END
$$;
