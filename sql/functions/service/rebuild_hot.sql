-- SPDX-License-Identifier: GPL-3.0-or-later
-- Gives every living job that is in none of tf.hold, tf.wait, tf.lease its place again, derived from
-- what is kept: after restoring a dump, which leaves the three out.  Running jobs get half an
-- hour to be heard of; an agent without a boot id counts as one without leases, which does not get a
-- job again.  Returns how many went where.  For an administrator; servers are stopped.
CREATE FUNCTION tfx.rebuild_hot() RETURNS TABLE (held bigint, waiting bigint, running bigint)
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE missing ON COMMIT DROP AS
    SELECT j.id, j.queue, tfx.negate_priority(j.priority) AS nprio, j.seq, j.week, j.created_at,
           coalesce(a.attempt, 0) AS attempt, l.lost,
           nullif(coalesce(j.exclude_agents, '{}') || l.agents, '{}') AS exclude_agents,
           a.attempt > 0 AND a.ended_at IS NULL AS runs, b.not_before,
           b.not_before IS NOT NULL OR j.attachments AND NOT EXISTS (
               SELECT FROM tf.file f
               WHERE f.week = j.week AND f.job_id = j.id AND f.kind = 'attachments'
                   AND f.state = 'complete') AS holds
    FROM tf.job j
    LEFT JOIN LATERAL (SELECT * FROM tf.attempt o WHERE o.job_id = j.id
                       ORDER BY o.attempt DESC LIMIT 1) a ON true
    LEFT JOIN LATERAL (
        SELECT t.at AS not_before FROM (SELECT a.ended_at + make_interval(secs => j.retry_backoff_s)) t(at)
        WHERE a.reason IN ('agent_lost', 'retried') AND t.at > now()) b ON true
    CROSS JOIN LATERAL (
        SELECT count(*)::int AS lost, array_agg(o.agent ORDER BY o.attempt)
                   FILTER (WHERE o.boot IS NULL OR j.retry_elsewhere) AS agents
        FROM tf.attempt o
        WHERE o.job_id = j.id AND o.reason IN ('agent_lost', 'retried')) l
    WHERE j.final_state IS NULL
        AND NOT EXISTS (SELECT FROM tf.hold h WHERE h.job_id = j.id)
        AND NOT EXISTS (SELECT FROM tf.lease r WHERE r.job_id = j.id)
        AND NOT EXISTS (SELECT FROM tf.wait w WHERE w.queue = j.queue AND w.seq = j.seq
                            AND w.nprio = tfx.negate_priority(j.priority));
    INSERT INTO tf.lease (job_id, queue, nprio, seq, week, attempt_week, attempt, lost, agent, token,
                          boot, claimed_at, offered_at, confirmed, lease_until, job_state,
                          exclude_agents)
    SELECT m.id, m.queue, m.nprio, m.seq, m.week, a.week, a.attempt, m.lost, a.agent, a.token, a.boot,
           a.claimed_at, a.claimed_at, now(), now() + interval '30 min',
           coalesce((SELECT p.phase::text FROM tf.phase p
                     WHERE p.job_id = m.id AND p.attempt = m.attempt AND p.started_at IS NOT NULL
                     ORDER BY p.phase DESC LIMIT 1), 'running'),
           m.exclude_agents
    FROM missing m JOIN tf.attempt a ON a.job_id = m.id AND a.attempt = m.attempt WHERE m.runs;
    INSERT INTO tf.hold (job_id, queue, nprio, seq, week, attempt, lost, since, why, not_before,
                         exclude_agents)
    SELECT m.id, m.queue, m.nprio, m.seq, m.week, m.attempt, m.lost, m.created_at,
           CASE WHEN m.not_before IS NULL THEN 'attachments' ELSE 'backoff' END, m.not_before,
           m.exclude_agents
    FROM missing m WHERE m.holds AND m.runs IS NOT TRUE;
    INSERT INTO tf.wait (queue, nprio, seq, job_id, week, attempt, lost, since, exclude_agents)
    SELECT m.queue, m.nprio, m.seq, m.id, m.week, m.attempt, m.lost, m.created_at, m.exclude_agents
    FROM missing m WHERE NOT m.holds AND m.runs IS NOT TRUE;
    RETURN QUERY
    SELECT count(*) FILTER (WHERE m.holds AND m.runs IS NOT TRUE),
           count(*) FILTER (WHERE NOT m.holds AND m.runs IS NOT TRUE), count(*) FILTER (WHERE m.runs)
    FROM missing m;
    DROP TABLE missing;
END
$$;
