-- SPDX-License-Identifier: GPL-3.0-or-later
-- Releases at most p_limit jobs whose time before another attempt is over; returns how many.  Rows
-- somebody is using at this moment are left for the next run.
CREATE FUNCTION tfx.release_jobs(p_limit int) RETURNS int
LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    v_hold tf.hold;
    v_count int := 0;
BEGIN
    FOR v_hold IN
        SELECT * FROM tf.hold h WHERE h.why = 'backoff' AND h.not_before <= clock_timestamp()
        ORDER BY h.job_id LIMIT p_limit FOR UPDATE SKIP LOCKED
    LOOP
        DELETE FROM tf.hold h WHERE h.job_id = v_hold.job_id;
        PERFORM tfx.release_held(v_hold);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END
$$;
