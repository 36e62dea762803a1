-- SPDX-License-Identifier: GPL-3.0-or-later
-- Turns places just taken off tf.wait into leases and attempts: p_places[i] goes to request
-- p_numbers[i].  One statement is safe here: the rows are ours already and nothing is
-- looked for.  The samples are of first claims.  The moment is taken here and is not that of the
-- transaction, which may have begun before the attempt that came before had ended.
--   TF409  the table of transitions does not allow claims
CREATE FUNCTION tfx.start_attempts(p_agents text[], p_tokens uuid[], p_leases int[], p_boots text[],
                                   p_numbers int[], p_places tf.wait[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_started int;
BEGIN
    WITH allowed AS MATERIALIZED (
        SELECT t.to_state, clock_timestamp() AS moment, tfx.find_week(now()) AS week,
               tfx.take_shard() AS shard,
               (SELECT l.value FROM tf.lease_rule l WHERE l.name = 'undelivered_s') AS seconds
        FROM tf.transition t WHERE t.from_state = 'waiting' AND t.event = 'claim'
    ), lease AS (
        INSERT INTO tf.lease (job_id, queue, nprio, seq, week, attempt_week, attempt, lost, agent,
                              token, boot, lease_s, claimed_at, offered_at, lease_until, job_state,
                              exclude_agents)
        SELECT p.job_id, p.queue, p.nprio, p.seq, p.week, a.week, p.attempt + 1, p.lost,
               p_agents[r.n], p_tokens[r.n], p_boots[r.n],
               tfx.grant_seconds(p.queue, p_leases[r.n]),
               a.moment, a.moment, a.moment + make_interval(secs => a.seconds),
               a.to_state, p.exclude_agents
        FROM allowed a
        CROSS JOIN unnest(p_places) WITH ORDINALITY p
        CROSS JOIN LATERAL (SELECT p_numbers[p.ordinality] AS n) r
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
        SELECT p.queue, extract(epoch FROM a.moment - p.since)
        FROM allowed a CROSS JOIN unnest(p_places) p
        WHERE p.attempt = 0
    ), counter AS (
        INSERT INTO tf.queue_count AS c (queue, shard, claimed)
        SELECT p.queue, a.shard, count(*) FROM allowed a CROSS JOIN unnest(p_places) p
        GROUP BY p.queue, a.shard
        ON CONFLICT (queue, shard) DO UPDATE SET claimed = c.claimed + EXCLUDED.claimed
    )
    SELECT count(*) INTO v_started FROM lease;
    IF v_started <> cardinality(p_places) THEN
        RAISE EXCEPTION 'a waiting job cannot be claimed' USING ERRCODE = 'TF409';
    END IF;
END
$$;
