-- SPDX-License-Identifier: GPL-3.0-or-later
-- Removes at most p_limit uploads nobody finished within a day and files replaced an hour ago (who
-- is still reading one had that long); returns how many.
CREATE FUNCTION tfx.sweep_files(p_limit int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_file tf.file;
    v_swept int := 0;
BEGIN
    FOR v_file IN
        SELECT * FROM tf.file f
        WHERE f.state = 'open' AND f.created_at < now() - interval '1 day'
            OR f.state = 'replaced' AND f.ended_at < now() - interval '1 hour'
        ORDER BY f.id
        LIMIT least(p_limit, 1000)
        FOR UPDATE SKIP LOCKED
    LOOP
        DELETE FROM tf.chunk c WHERE c.week = v_file.week AND c.file_id = v_file.id;
        DELETE FROM tf.file f WHERE f.week = v_file.week AND f.id = v_file.id;
        v_swept := v_swept + 1;
    END LOOP;
    RETURN v_swept;
END
$$;
