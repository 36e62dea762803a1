-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes the ends of jobs that are locked (tfx.lock_job): their second and last versions.
-- p_state: what all of them were, p_event: what ended them, p_outcome: theirs.  Of each, in the order of
-- jobs (p_ids): p_rows, with the agent and the start of its last attempt; p_finals: complete, completed or
-- cancelled, shown to clients from now on; p_whos: who ended it; p_statuses: the exit codes.
-- One statement is safe here: the rows are ours already and nothing is looked for.
-- = ANY, no join: a plan made while there were few jobs would read all for each.  num_nulls(): IS NULL
-- would let it read all that have not ended, by their own index.
--   TF409  the table of transitions does not allow the event
CREATE FUNCTION tfx.end_jobs(p_state text, p_ids uuid[], p_rows tf.lease[], p_event text,
                             p_finals text[], p_outcome text, p_whos text[], p_statuses text[]) RETURNS void
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v record;
BEGIN
    WITH ending AS MATERIALIZED (
        SELECT r.job_id, r.queue, r.attempt, r.agent, r.claimed_at, clock_timestamp() AS moment,
               p_finals[r.ordinality] AS final, p_whos[r.ordinality] AS who,
               p_statuses[r.ordinality]::jsonb AS exit_codes
        FROM unnest(p_rows) WITH ORDINALITY r
    ), job AS (
        UPDATE tf.job j
        SET (final_state, outcome, attempts, agent, finished_at, exit_codes, started_at) = (
            SELECT e.final, p_outcome, e.attempt, e.agent, e.moment, e.exit_codes, e.claimed_at
            FROM ending e WHERE e.job_id = j.id)
        WHERE j.id = ANY (p_ids) AND num_nulls(j.final_state) = 1
        RETURNING j.id, j.secrets
    ), deadline AS (
        DELETE FROM tf.deadline d WHERE d.job_id = ANY (p_ids)
    ), attempt AS (
        UPDATE tf.attempt a
        SET ended_at = clock_timestamp(), version = a.version + 1,
            reason = CASE WHEN p_outcome IN ('cancelled', 'agent_lost') THEN p_outcome ELSE 'complete' END
        WHERE a.job_id = ANY (p_ids) AND a.ended_at IS NULL
            AND a.attempt = (p_rows[array_position(p_ids, a.job_id)]).attempt
    ), event AS (
        INSERT INTO tf.event (job_id, attempt, at, event, from_state, to_state, who, why)
        SELECT e.job_id, e.attempt, e.moment, t.event, t.from_state, t.to_state, e.who, p_outcome
        FROM tf.transition t CROSS JOIN ending e
        WHERE t.from_state = p_state AND t.event = p_event
        RETURNING job_id
    ), own AS MATERIALIZED (
        SELECT tfx.take_shard() AS shard
    ), counter AS (
        INSERT INTO tf.queue_count AS c (queue, shard, finished)
        SELECT e.queue, o.shard, count(*) FROM own o CROSS JOIN ending e GROUP BY e.queue, o.shard
        ON CONFLICT (queue, shard) DO UPDATE SET finished = c.finished + EXCLUDED.finished
    )
    SELECT (SELECT array_agg(j.id) FROM job j WHERE j.secrets) AS naming,
           (SELECT count(*) FROM event) AS told
    INTO v;
    IF v.told <> cardinality(p_ids) THEN
        RAISE EXCEPTION 'job "%" is %: "%" is not possible', p_ids[1], p_state, p_event
            USING ERRCODE = 'TF409';
    END IF;
    IF v.naming IS NOT NULL THEN
        PERFORM tfx.drop_job_secrets(v.naming);
    END IF;
END
$$;
