-- SPDX-License-Identifier: GPL-3.0-or-later
-- Removes at most p_limit uploads nobody finished within a day and files replaced an hour ago (who
-- is still reading one had that long); returns how many.  What is in other hands is left for the next run.
CREATE FUNCTION tfx.sweep_files(p_limit int) RETURNS int
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_due record;
    v_swept int := 0;
BEGIN
    FOR v_due IN
        SELECT o.week, o.id, o.state FROM tf.file o
        WHERE o.state = 'open' AND o.created_at < now() - interval '1 day'
        UNION ALL
        SELECT r.week, r.id, r.state FROM tf.file r
        WHERE r.state = 'replaced' AND r.ended_at < now() - interval '1 hour'
        LIMIT least(p_limit, 1000)
    LOOP
        PERFORM FROM tf.file f
        WHERE f.week = v_due.week AND f.id = v_due.id AND f.state = v_due.state FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        DELETE FROM tf.chunk c WHERE c.week = v_due.week AND c.file_id = v_due.id;
        DELETE FROM tf.file f WHERE f.week = v_due.week AND f.id = v_due.id;
        v_swept := v_swept + 1;
    END LOOP;
    RETURN v_swept;
END
$$;
