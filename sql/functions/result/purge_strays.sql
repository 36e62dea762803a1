-- SPDX-License-Identifier: GPL-3.0-or-later
-- Forgets at most p_limit ids under which something was posted more than a week ago and no job was
-- submitted since, the oldest first; returns how many.  Their logs and files go with their weeks.
CREATE FUNCTION tfx.purge_strays(p_limit int) RETURNS int
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_id uuid;
    v_count int := 0;
BEGIN
    FOR v_id IN
        SELECT s.job_id FROM tf.stray s WHERE s.since <= now() - interval '7 days'
        ORDER BY s.since LIMIT p_limit FOR UPDATE SKIP LOCKED
    LOOP
        DELETE FROM tf.stray s WHERE s.job_id = v_id;
        v_count := v_count + 1;
        CONTINUE WHEN EXISTS (SELECT FROM tf.job j WHERE j.id = v_id);
        DELETE FROM tf.result r USING tf.attempt a
        WHERE a.job_id = v_id AND r.week = a.week AND r.job_id = v_id AND r.attempt = a.attempt;
        DELETE FROM tf.phase p WHERE p.job_id = v_id;
        DELETE FROM tf.attempt a WHERE a.job_id = v_id;
    END LOOP;
    RETURN v_count;
END
$$;
