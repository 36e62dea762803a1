-- SPDX-License-Identifier: GPL-3.0-or-later
-- The answers to the claims that hold these jobs now: the definition with what the agent needs.  Job
-- p_ids[i] was claimed by request p_numbers[i].  Their weeks are between p_first_week and p_last_week,
-- which spares the partitions of all other weeks.  In SQL, to become part of the statements that ask.
-- secrets: what the definition names, still sealed (tfx.render_secrets), or NULL.
-- LIMIT keeps the lookups apart: joined freely, a plan made while the tables were empty read a whole
-- week of definitions for one job.
CREATE FUNCTION tfx.render_claims(p_numbers int[], p_ids uuid[], p_first_week date, p_last_week date)
RETURNS TABLE (number int, job_id text, body text, secrets text)
LANGUAGE sql STABLE AS $$
    SELECT i.number, l.job_id::text,
           tfx.add_members(coalesce(d.body, '{}'), concat_ws(', ',
               format('"job_id": "%s", "started_at": "%s"', l.job_id,
                      tfx.format_micros(l.claimed_at)),
               CASE WHEN j.attachments THEN '"attachments_status": "complete"' END,
               CASE WHEN j.secrets THEN '"client_id": ' || coalesce(to_json(j.submitter)::text, 'null')
               END,
               CASE WHEN l.lease_s IS NOT NULL THEN
                   format('"lease": {"token": "%s", "seconds": %s, "attempt": %s, "stop_after": %s}',
                          l.token, l.lease_s, l.attempt, coalesce(
                              (SELECT q.stop_after_s FROM tf.queue_policy q
                               WHERE q.queue = l.queue LIMIT 1), 3600)) END)),
           CASE WHEN j.secrets THEN tfx.render_secrets(i.id) END
    FROM unnest(p_numbers, p_ids) i(number, id)
    CROSS JOIN LATERAL (SELECT * FROM tf.lease o WHERE o.job_id = i.id LIMIT 1) l
    CROSS JOIN LATERAL (SELECT * FROM tf.job o WHERE o.id = i.id LIMIT 1) j
    LEFT JOIN LATERAL (SELECT o.body FROM tf.definition o
                       WHERE o.week = l.week AND o.week BETWEEN p_first_week AND p_last_week
                           AND o.job_id = i.id LIMIT 1) d ON true
$$;
