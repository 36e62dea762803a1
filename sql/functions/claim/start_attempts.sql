-- SPDX-License-Identifier: GPL-3.0-or-later
-- Turns places just taken off tf.wait into leases and attempts: p_places[i] goes to request
-- p_numbers[i]; true: one of the jobs (p_jobs) names secrets.  One statement is safe here: the rows are ours
-- already and nothing is looked for.  The samples are of first claims.  The moment is taken here and is not that
-- of the transaction, which may have begun before the attempt that came before had ended.
--   TF409  the table of transitions does not allow claims
CREATE FUNCTION tfx.start_attempts(p_agents text[], p_tokens uuid[], p_leases int[], p_boots text[],
                                   p_numbers int[], p_places tf.wait[], p_jobs uuid[])
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_moment timestamptz := clock_timestamp();
    v_week date := tfx.find_week(now());
    v_shard int := tfx.take_shard();
    v_started int;
    v_secret boolean;
BEGIN
    WITH lease AS (
        INSERT INTO tf.lease (job_id, queue, nprio, seq, week, attempt_week, attempt, lost, agent,
                              token, boot, lease_s, claimed_at, offered_at, lease_until, job_state,
                              exclude_agents)
        SELECT p.job_id, p.queue, p.nprio, p.seq, p.week, v_week, p.attempt + 1, p.lost,
               p_agents[r.n], p_tokens[r.n], p_boots[r.n],
               tfx.grant_seconds(p.queue, p_leases[r.n]),
               v_moment, v_moment, v_moment + make_interval(secs => (
                   SELECT u.value FROM tf.lease_rule u WHERE u.name = 'undelivered_s')),
               t.to_state, p.exclude_agents
        FROM tf.transition t
        CROSS JOIN unnest(p_places) WITH ORDINALITY p
        CROSS JOIN LATERAL (SELECT p_numbers[p.ordinality] AS n) r
        WHERE t.from_state = 'waiting' AND t.event = 'claim'
        ORDER BY p.job_id
        RETURNING *
    ), attempt AS (
        INSERT INTO tf.attempt (job_id, attempt, week, agent, token, boot, claimed_at, first_number)
        SELECT l.job_id, l.attempt, l.attempt_week, l.agent, l.token, l.boot, l.claimed_at,
               CASE WHEN l.attempt > 1 THEN tfx.find_next_fragment(l.job_id) ELSE 0 END
        FROM lease l
    ), event AS (
        INSERT INTO tf.event (job_id, attempt, at, event, from_state, to_state, who)
        SELECT l.job_id, l.attempt, l.claimed_at, 'claim', 'waiting', l.job_state, l.agent
        FROM lease l
    ), sample AS (
        INSERT INTO tf.wait_sample (queue, seconds)
        SELECT p.queue, extract(epoch FROM v_moment - p.since)
        FROM unnest(p_places) p
        WHERE p.attempt = 0
    ), counter AS (
        INSERT INTO tf.queue_count AS c (queue, shard, claimed)
        SELECT l.queue, v_shard, count(*) FROM lease l GROUP BY l.queue
        ON CONFLICT (queue, shard) DO UPDATE SET claimed = c.claimed + EXCLUDED.claimed
    )
    SELECT count(*), EXISTS (SELECT FROM tf.job_secret n WHERE n.job_id = ANY (p_jobs))
    INTO v_started, v_secret
    FROM lease;
    IF v_started <> cardinality(p_places) THEN
        RAISE EXCEPTION 'a waiting job cannot be claimed' USING ERRCODE = 'TF409';
    END IF;
    RETURN v_secret;
END
$$;
