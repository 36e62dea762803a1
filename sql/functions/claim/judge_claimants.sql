-- SPDX-License-Identifier: GPL-3.0-or-later
-- For each request of api.claim_jobs() whether it may get a job (free), and what one that waits is told of
-- its agent.  p_work[p_lists[i]]: there are jobs in the queues that request i asks for.  p_holders: agents
-- with leases, or NULL.
-- Whoever sends an agent away waits until it has its job, or it sees that and gets none: where there
-- may be a job, the agent's row is locked.  Rows somebody else is changing are waited for if p_patient.
-- seen: a short name for the agent's state and the owners of its queues.
CREATE FUNCTION tfx.judge_claimants(p_agents text[], p_lists int[], p_seen text[], p_work boolean[],
                                    p_holders text[], p_patient boolean, OUT free boolean[], OUT seen text[],
                                    OUT changed boolean[], OUT busy boolean[])
LANGUAGE plpgsql AS $$
BEGIN
    free := '{true}';
    IF cardinality(p_agents) <> 1 THEN
        free := ARRAY(SELECT r.n = min(r.n) OVER (PARTITION BY r.agent)
                      FROM unnest(p_agents) WITH ORDINALITY r(agent, n) ORDER BY r.n);
    END IF;
    IF p_seen IS NULL THEN
        RETURN;
    ELSIF p_patient THEN
        PERFORM FROM tf.agent a WHERE a.name = ANY (p_agents) ORDER BY a.name FOR SHARE;
    END IF;
    SELECT array_agg(free[s.n] AND NOT s.busy AND NOT s.changed AND NOT s.away), array_agg(s.seen),
           array_agg(s.changed), array_agg(s.busy)
    INTO free, seen, changed, busy
    FROM (SELECT r.n, k.seen, g.busy,
                 coalesce(r.before <> '' AND r.before <> k.seen, false) AS changed,
                 coalesce(g.state IN ('offline', 'maintenance'), false) AS away
          FROM (SELECT u.n, u.agent, u.before,
                       p_work[u.list] OR coalesce(u.agent = ANY (p_holders), false) AS hopes
                FROM unnest(p_agents, p_lists, p_seen) WITH ORDINALITY u(agent, list, before, n)) r
          LEFT JOIN LATERAL (
              SELECT o.state, o.queues, true AS locked FROM tf.agent o
              WHERE o.name = r.agent AND r.before IS NOT NULL AND r.hopes
              LIMIT 1 FOR SHARE SKIP LOCKED) l ON true
          LEFT JOIN LATERAL (
              SELECT a.state, a.queues, true AS known FROM tf.agent a
              WHERE a.name = r.agent AND r.before IS NOT NULL AND l.locked IS NULL LIMIT 1) a ON true
          CROSS JOIN LATERAL (
              SELECT CASE WHEN l.locked THEN l.state ELSE a.state END AS state,
                     CASE WHEN l.locked THEN l.queues ELSE a.queues END AS queues,
                     coalesce(a.known AND r.hopes, false) AS busy) g
          LEFT JOIN LATERAL (
              SELECT tfx.name_version(concat_ws('/', g.state, (
                  SELECT jsonb_agg(jsonb_build_array(o.queue, o.client_id) ORDER BY o.queue, o.seq)
                  FROM tf.queue_owner o WHERE o.queue = ANY (g.queues)))) AS seen) k
              ON r.before IS NOT NULL
          ORDER BY r.n) s;
END
$$;
