-- SPDX-License-Identifier: GPL-3.0-or-later
-- Those of a list of submissions (api.submit_jobs) that their senders may not make; the
-- checks are in the order of docs/protocol.md.  A fact that is not there is 0, false or none.
--   TF422  every agent that serves the queue is excluded; secrets that cannot be used; a tag that is too
--          long to be indexed
--   TF400  job_id is not a UUID
--   TF401  an anonymous caller asks for more than it may    TF403  the client may not
CREATE FUNCTION tfx.judge_submissions(p_facts jsonb)
RETURNS TABLE (number int, failure text, why text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.number, v.verdict[1], v.verdict[2]
    FROM (
        SELECT s.number, CASE
            WHEN s.f ? 'exclude_agents' AND NOT tfx.has_agent_left(s.f) THEN
                ARRAY['TF422', format('no agent of queue "%s" is left to run this job', s.queue)]
            WHEN s.f ? 'secrets' AND tfx.check_secrets(s.f) IS NOT NULL THEN
                ARRAY['TF422', tfx.check_secrets(s.f)]
            WHEN (s.f ->> 'id_bad')::boolean THEN
                ARRAY['TF400', 'job_id is not a UUID']
            WHEN s.priority <> 0 AND NOT s.known THEN
                ARRAY['TF401', 'a priority needs authentication']
            WHEN s.priority > 0 AND s.priority > coalesce((s.f ->> 'max_priority')::bigint, 0) THEN
                ARRAY['TF403', format('priority %s is not allowed on queue "%s"', s.priority, s.queue)]
            WHEN NOT (s.known AND coalesce((s.f ->> 'queue_allowed')::boolean, false))
                -- as EXISTS it would read the whole table once
                AND (SELECT true FROM tf.restricted_queue r WHERE r.queue = s.queue LIMIT 1) THEN
                CASE WHEN s.known THEN ARRAY['TF403', format('queue "%s" is restricted', s.queue)]
                     ELSE ARRAY['TF401', format('queue "%s" is restricted: authentication needed', s.queue)]
                END
            WHEN s.reserve > 21600 AND NOT s.known THEN
                ARRAY['TF401', format('a reservation of %s s needs authentication', s.reserve)]
            WHEN s.reserve > 21600 AND s.reserve > coalesce((s.f ->> 'max_reservation')::bigint, 0) THEN
                ARRAY['TF403', format('a reservation of %s s is not allowed on queue "%s"', s.reserve,
                                      s.queue)]
            WHEN s.f ? 'tags' AND NOT tfx.fit_tags(s.f) THEN
                ARRAY['TF422', 'a tag is longer than 1,000 bytes']
            END AS verdict
        FROM (SELECT e.n::int AS number, e.f, e.f ->> 'queue' AS queue,
                     coalesce((e.f ->> 'authenticated')::boolean, false) AS known,
                     coalesce((e.f ->> 'priority')::bigint, 0) AS priority,
                     CASE WHEN (e.f ->> 'has_reservation')::boolean
                          THEN coalesce((e.f ->> 'reserve_timeout')::bigint, 3600) END AS reserve
              FROM jsonb_array_elements(p_facts) WITH ORDINALITY e(f, n)
              OFFSET 0) s
        OFFSET 0) v -- each expression is made once
    WHERE v.verdict IS NOT NULL;
END
$$;
