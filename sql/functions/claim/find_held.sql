-- SPDX-License-Identifier: GPL-3.0-or-later
-- The leases of these agents: holders[i] has jobs[i]; NULLs when there are none.  OFFSET keeps the lookups
-- apart: joined freely, or by = ANY, a plan made while there were no leases reads all of them.
CREATE FUNCTION tfx.find_held(p_agents text[], OUT holders text[], OUT jobs uuid[])
LANGUAGE plpgsql AS $$
BEGIN
    SELECT array_agg(a.agent), array_agg(l.job_id) INTO holders, jobs
    FROM unnest(p_agents) a(agent)
    CROSS JOIN LATERAL (SELECT o.job_id FROM tf.lease o WHERE o.agent = a.agent COLLATE "C" OFFSET 0) l;
END
$$;
