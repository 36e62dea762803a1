-- SPDX-License-Identifier: GPL-3.0-or-later
-- The phases of an attempt (NULL: the newest) that logged, with their last fragment number, and the
-- number of that attempt.
CREATE FUNCTION api.list_log_phases(p_id uuid, p_type text, p_attempt int DEFAULT NULL)
RETURNS TABLE (phase text, last_number bigint, attempt int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_attempt tf.attempt := tfx.choose_attempt(p_id, p_attempt);
BEGIN
    RETURN QUERY
    SELECT e.name::text, f.number, v_attempt.attempt
    FROM unnest(enum_range(NULL::tf.phase_name)) e(name)
    CROSS JOIN LATERAL (
        SELECT l.number FROM tf.log l
        WHERE l.week = v_attempt.week AND l.job_id = p_id AND l.attempt = v_attempt.attempt
            AND l.type = p_type::tf.log_type AND l.phase = e.name AND l.number >= 0
        ORDER BY l.number DESC LIMIT 1) f;
END
$$;
