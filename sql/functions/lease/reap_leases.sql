-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends at most p_limit leases whose time is over by the database's clock, or that were offered a
-- minute ago and never confirmed.  Rows somebody is using at this moment are left for the next run.
CREATE FUNCTION tfx.reap_leases(p_limit int) RETURNS TABLE (job_id text, reason text)
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_lease tf.lease;
BEGIN
    FOR v_lease IN
        SELECT * FROM tf.lease l
        WHERE l.confirmed IS NOT NULL AND l.lease_until <= now()
            OR l.confirmed IS NULL AND l.offered_at <= now() - interval '60 s'
        ORDER BY l.job_id
        LIMIT least(p_limit, 10000)
        FOR UPDATE SKIP LOCKED
    LOOP
        DELETE FROM tf.lease l WHERE l.job_id = v_lease.job_id;
        RETURN QUERY SELECT v_lease.job_id::text, tfx.lose_lease(v_lease);
    END LOOP;
END
$$;
