-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes the jobs of a list of submissions (api.submit_jobs), but for p_gone, that nothing speaks against: what
-- api.submit_job() and tfx.place_job() do for one.  Their numbers rise in the order of the list.
-- id NULL: there is a job with this id already, and nothing is left of the submission, nor of its key.
--   TF409  the table of transitions does not allow submissions
CREATE FUNCTION tfx.make_jobs(p_definitions text[], p_facts jsonb, p_gone int[])
RETURNS TABLE (number int, id uuid)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v record;
BEGIN
    WITH asked AS MATERIALIZED (
        SELECT e.n::int AS number, e.f, coalesce(e.f ->> 'id', e.f ->> 'new_id')::uuid AS id,
               nextval('tf.job_seq') AS seq
        FROM jsonb_array_elements(p_facts) WITH ORDINALITY e(f, n)
        WHERE e.n <> ALL (p_gone)
    ), job AS (
        INSERT INTO tf.job (id, seq, week, queue, priority, submitter, parent, parent_id, name,
                            exclude_agents, attachments, secrets, global_timeout, sha256, retry_max,
                            retry_on, retry_elsewhere, retry_backoff_s)
        SELECT a.id, a.seq, tfx.find_week(now()), a.f ->> 'queue',
               coalesce((a.f ->> 'priority')::bigint, 0), a.f ->> 'client_id', a.f ->> 'parent',
               (a.f ->> 'parent_id')::uuid, a.f ->> 'name',
               CASE WHEN a.f ? 'exclude_agents' THEN nullif(tfx.list_texts(a.f -> 'exclude_agents'), '{}') END,
               coalesce((a.f ->> 'hold')::boolean, false), a.f ? 'secrets',
               (a.f ->> 'global_timeout')::bigint, decode(a.f ->> 'sha256', 'hex'),
               (a.f #>> '{retry,max}')::int,
               CASE WHEN a.f ? 'retry' THEN
                   tfx.list_texts(coalesce(a.f #> '{retry,on}', '["agent_lost"]')) END,
               (a.f #>> '{retry,avoid_same_agent}')::boolean, (a.f #>> '{retry,backoff}')::int
        FROM asked a ORDER BY a.id, a.seq
        ON CONFLICT (id) DO NOTHING
        RETURNING id, seq, week, queue, priority, exclude_agents, attachments, submitter
    ), definition AS (
        INSERT INTO tf.definition (week, job_id, body)
        SELECT j.week, j.id, p_definitions[a.number] FROM job j JOIN asked a ON a.seq = j.seq
    ), waiting AS (
        INSERT INTO tf.wait (queue, nprio, seq, job_id, week, exclude_agents)
        SELECT j.queue, tfx.negate_priority(j.priority), j.seq, j.id, j.week, j.exclude_agents
        FROM job j WHERE NOT j.attachments
    ), own AS MATERIALIZED (
        SELECT tfx.take_shard() AS shard
    ), counter AS (
        INSERT INTO tf.queue_count AS c (queue, shard, jobs)
        SELECT j.queue, o.shard, count(*) FROM own o CROSS JOIN job j GROUP BY j.queue, o.shard
        ON CONFLICT (queue, shard) DO UPDATE SET jobs = c.jobs + EXCLUDED.jobs
    ), event AS (
        INSERT INTO tf.event (job_id, attempt, at, event, from_state, to_state, who)
        SELECT j.id, 0, clock_timestamp(), t.event, t.from_state, t.to_state, j.submitter
        FROM job j
        JOIN tf.transition t
            ON t.from_state = 'new' AND t.event = CASE WHEN j.attachments THEN 'hold' ELSE 'submit' END
        RETURNING job_id
    )
    SELECT array_agg(a.number) FILTER (WHERE j.seq IS NOT NULL) AS numbers,
           array_agg(a.id) FILTER (WHERE j.seq IS NOT NULL) AS ids,
           array_agg(a.number) FILTER (WHERE j.seq IS NULL) AS known,
           (SELECT count(*) FROM event) AS told
    INTO v
    FROM asked a LEFT JOIN job j ON j.seq = a.seq;
    IF v.told <> cardinality(v.numbers) THEN
        RAISE EXCEPTION 'a new job cannot be submitted' USING ERRCODE = 'TF409';
    END IF;
    PERFORM tfx.add_details(p_facts, v.numbers, v.ids);
    IF v.known IS NOT NULL THEN
        PERFORM tfx.free_keys(p_facts, v.known);
    END IF;
    RETURN QUERY SELECT * FROM unnest(v.numbers || v.known, v.ids);
END
$$;
