-- SPDX-License-Identifier: GPL-3.0-or-later
-- The phases of the newest attempt that logged, with their last fragment number.
CREATE FUNCTION api.list_log_phases(p_id uuid, p_type text)
RETURNS TABLE (phase text, last_number bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT e.name::text, f.number
    FROM (SELECT a.attempt, a.week FROM tf.attempt a
          WHERE a.job_id = p_id ORDER BY a.attempt DESC LIMIT 1) n
    CROSS JOIN unnest(enum_range(NULL::tf.phase_name)) e(name)
    CROSS JOIN LATERAL (
        SELECT l.number FROM tf.log l
        WHERE l.week = n.week AND l.job_id = p_id AND l.attempt = n.attempt
            AND l.type = p_type::tf.log_type AND l.phase = e.name AND l.number >= 0
        ORDER BY l.number DESC LIMIT 1) f;
END
$$;
