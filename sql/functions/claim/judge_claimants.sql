-- SPDX-License-Identifier: GPL-3.0-or-later
-- For each request of api.claim_jobs() whether it may get a job (free), and what one that waits is told of
-- its agent.  p_work: there are jobs in the queues it asks for.  p_holders: agents with leases, or NULL.
-- Whoever sends an agent away waits until it has its job, or it sees that and gets none: where there
-- may be a job, the agent's row is locked.  Rows somebody else is changing are waited for if p_patient.
-- seen: a short name for the agent's state and the owners of its queues.
CREATE FUNCTION tfx.judge_claimants(p_agents text[], p_seen text[], p_work boolean[], p_holders text[],
                                    p_patient boolean, OUT free boolean[], OUT seen text[],
                                    OUT changed boolean[], OUT busy boolean[])
LANGUAGE plpgsql AS $$
BEGIN
    IF p_seen IS NULL THEN
        free := ARRAY(SELECT r.n = min(r.n) OVER (PARTITION BY r.agent)
                      FROM unnest(p_agents) WITH ORDINALITY r(agent, n) ORDER BY r.n);
        RETURN;
    END IF;
    IF p_patient THEN
        PERFORM FROM tf.agent a WHERE a.name = ANY (p_agents) ORDER BY a.name FOR SHARE;
    END IF;
    SELECT array_agg(s.first AND NOT s.busy AND NOT s.changed AND NOT s.away ORDER BY s.n),
           array_agg(s.seen ORDER BY s.n), array_agg(s.changed ORDER BY s.n), array_agg(s.busy ORDER BY s.n)
    INTO free, seen, changed, busy
    FROM (SELECT r.n, r.first, k.seen, g.busy,
                 coalesce(r.before <> '' AND r.before <> k.seen, false) AS changed,
                 coalesce(g.state IN ('offline', 'maintenance'), false) AS away
          FROM (SELECT u.n, u.agent, u.before, u.n = min(u.n) OVER (PARTITION BY u.agent) AS first,
                       u.work OR coalesce(u.agent = ANY (p_holders), false) AS hopes
                FROM unnest(p_agents, p_seen, p_work) WITH ORDINALITY u(agent, before, work, n)) r
          LEFT JOIN LATERAL (
              SELECT a.state, a.queues, true AS known FROM tf.agent a
              WHERE a.name = r.agent AND r.before IS NOT NULL LIMIT 1) a ON true
          LEFT JOIN LATERAL (
              SELECT o.state, o.queues, true AS locked FROM tf.agent o
              WHERE o.name = r.agent AND r.before IS NOT NULL AND r.hopes
              LIMIT 1 FOR SHARE SKIP LOCKED) l ON true
          CROSS JOIN LATERAL (
              SELECT CASE WHEN l.locked THEN l.state ELSE a.state END AS state,
                     CASE WHEN l.locked THEN l.queues ELSE a.queues END AS queues,
                     coalesce(a.known AND r.hopes AND l.locked IS NULL, false) AS busy) g
          LEFT JOIN LATERAL (
              SELECT tfx.name_version(concat_ws('/', g.state, (
                  SELECT jsonb_agg(jsonb_build_array(o.queue, o.client_id) ORDER BY o.queue, o.seq)
                  FROM tf.queue_owner o WHERE o.queue = ANY (g.queues)))) AS seen) k
              ON r.before IS NOT NULL) s;
END
$$;
