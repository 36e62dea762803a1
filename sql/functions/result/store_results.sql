-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what was posted for attempts at p_at: each key replaces the one before as a whole, NULL leaves it.
-- Exit codes also become facts of the phases.  Called with the jobs' places locked, if they have any.
-- The arrays have an element for each attempt.
CREATE FUNCTION tfx.store_results(p_ids uuid[], p_attempts int[], p_weeks date[], p_statuses text[],
                                  p_device_infos text[], p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF array_remove(p_statuses || p_device_infos, NULL) = '{}' THEN
        RETURN;
    END IF;
    WITH kept AS (
        INSERT INTO tf.result AS r (week, job_id, attempt, status, device_info)
        SELECT u.* FROM unnest(p_weeks, p_ids, p_attempts, p_statuses, p_device_infos)
            u(week, id, attempt, status, device_info)
        WHERE u.status IS NOT NULL OR u.device_info IS NOT NULL
        ON CONFLICT (week, job_id, attempt) DO UPDATE
        SET status = coalesce(EXCLUDED.status, r.status),
            device_info = coalesce(EXCLUDED.device_info, r.device_info)
    )
    INSERT INTO tf.phase AS p (job_id, attempt, phase, ended_at, exit_code)
    SELECT u.id, u.attempt, s.key::tf.phase_name, p_at, s.value::bigint
    FROM unnest(p_ids, p_attempts, p_statuses) WITH ORDINALITY u(id, attempt, status, n)
    CROSS JOIN LATERAL jsonb_each_text(u.status::jsonb) s
    ORDER BY u.n, s.key::tf.phase_name
    ON CONFLICT (job_id, attempt, phase) DO UPDATE
    SET ended_at = EXCLUDED.ended_at, exit_code = EXCLUDED.exit_code
    WHERE p.exit_code IS DISTINCT FROM EXCLUDED.exit_code;
END
$$;
