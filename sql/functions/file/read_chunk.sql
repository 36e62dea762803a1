-- SPDX-License-Identifier: GPL-3.0-or-later
-- One piece of a file, numbered from 0.  No row: there is none (any more).
CREATE FUNCTION api.read_chunk(p_file uuid, p_number int) RETURNS TABLE (data bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT c.data FROM tf.chunk c
    WHERE c.week = tfx.find_file_week(p_file) AND c.file_id = p_file AND c.number = p_number;
END
$$;
