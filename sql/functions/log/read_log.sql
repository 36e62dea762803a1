-- SPDX-License-Identifier: GPL-3.0-or-later
-- The next fragments of one phase of an attempt (NULL: the newest), in order, behind (p_after_number,
-- p_after_seq) (NULL: from the start), with number >= p_from_number (NULL: 0) and time
-- >= p_from_time (NULL: any).  Stops when p_max_bytes is passed, at least one row.
CREATE FUNCTION api.read_log(p_id uuid, p_type text, p_phase text, p_from_number bigint,
                             p_from_time timestamptz, p_after_number bigint, p_after_seq bigint,
                             p_max_bytes int, p_attempt int DEFAULT NULL)
RETURNS TABLE (number bigint, seq bigint, data bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_attempt tf.attempt := tfx.choose_attempt(p_id, p_attempt);
    v_left bigint := p_max_bytes;
BEGIN
    FOR number, seq, data IN
        SELECT l.number, l.seq, l.data
        FROM tf.log l
        WHERE l.week = v_attempt.week AND l.attempt = v_attempt.attempt
            AND l.job_id = p_id AND l.type = p_type::tf.log_type AND l.phase = p_phase::tf.phase_name
            AND l.number >= greatest(p_from_number, p_after_number, 0)
            AND (l.at >= p_from_time OR p_from_time IS NULL)
            AND (l.number > p_after_number OR l.seq > p_after_seq OR p_after_number IS NULL)
        ORDER BY l.number, l.seq
    LOOP
        RETURN NEXT;
        -- A fragment may be empty; its row is not.
        v_left := v_left - octet_length(data) - 32;
        EXIT WHEN v_left <= 0;
    END LOOP;
END
$$;
