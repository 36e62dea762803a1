-- SPDX-License-Identifier: GPL-3.0-or-later
-- Releases at most p_limit jobs whose time before another attempt is over; returns which.  Rows
-- somebody is using at this moment are left for the next run.
CREATE FUNCTION tfx.release_jobs(p_limit int) RETURNS uuid[]
LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    v_hold tf.hold;
    v_done uuid[] := '{}';
BEGIN
    FOR v_hold IN
        SELECT * FROM tf.hold h WHERE h.why = 'backoff' AND h.not_before <= clock_timestamp()
        ORDER BY h.job_id LIMIT p_limit FOR UPDATE SKIP LOCKED
    LOOP
        DELETE FROM tf.hold h WHERE h.job_id = v_hold.job_id;
        PERFORM tfx.release_held(v_hold);
        v_done := v_done || v_hold.job_id;
    END LOOP;
    RETURN v_done;
END
$$;
