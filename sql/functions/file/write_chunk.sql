-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps the next piece of an upload, at most 256 KiB, numbered from 0.  Each piece is a transaction
-- of its own: nothing waits for a slow client.  The same piece again replaces itself.
--   TF404  no such upload        TF413  the piece is too large
CREATE FUNCTION api.write_chunk(p_file uuid, p_number int, p_data bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_week date := tfx.find_file_week(p_file);
BEGIN
    IF octet_length(p_data) > 262144 THEN
        RAISE EXCEPTION 'a piece of a file has at most 262144 bytes' USING ERRCODE = 'TF413';
    END IF;
    -- Locked, so that nobody counts or removes the pieces beside us.
    PERFORM FROM tf.file f
    WHERE f.week = v_week AND f.id = p_file AND f.state = 'open' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'upload "%" does not exist', p_file USING ERRCODE = 'TF404';
    END IF;
    INSERT INTO tf.chunk AS c (week, file_id, number, data)
    VALUES (v_week, p_file, p_number, p_data)
    ON CONFLICT (week, file_id, number) DO UPDATE SET data = EXCLUDED.data;
END
$$;
