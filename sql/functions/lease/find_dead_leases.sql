-- SPDX-License-Identifier: GPL-3.0-or-later
-- At most p_limit leases whose time is over, locked; rows somebody is using at this moment are left
-- out.  p_lost: of agents that were heard of and fell silent; else those that end for a reason of
-- their own.  The table is narrow and has no index by time, which every renewal would have to
-- change: it is read from end to end.
CREATE FUNCTION tfx.find_dead_leases(p_lost boolean, p_limit bigint) RETURNS SETOF tf.lease
LANGUAGE plpgsql SET jit = off SET enable_seqscan = on AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM tf.lease l
    WHERE l.lease_until <= now() AND p_lost = (l.confirmed IS NOT NULL
        AND isfinite(l.lease_until) AND l.job_state <> 'cancelled')
    ORDER BY l.job_id
    LIMIT p_limit
    FOR UPDATE SKIP LOCKED;
END
$$;
