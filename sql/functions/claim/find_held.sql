-- SPDX-License-Identifier: GPL-3.0-or-later
-- The leases of these agents.  OFFSET keeps the lookups apart: joined freely, or by = ANY, a plan made
-- while there were no leases reads all of them.
CREATE FUNCTION tfx.find_held(p_agents text[]) RETURNS TABLE (agent text, job_id uuid)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT a.agent, l.job_id
    FROM unnest(p_agents) a(agent)
    CROSS JOIN LATERAL (SELECT o.job_id FROM tf.lease o WHERE o.agent = a.agent COLLATE "C" OFFSET 0) l;
END
$$;
