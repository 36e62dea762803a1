-- SPDX-License-Identifier: GPL-3.0-or-later
-- The answers to the claims that hold these jobs now: the definition with what the agent needs.
CREATE FUNCTION tfx.render_claims(p_ids uuid[])
RETURNS TABLE (job_id text, attempt int, token text, body text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT l.job_id::text, l.attempt, l.token::text,
           tfx.add_members(coalesce(d.body, '{}'), concat_ws(', ',
               format('"job_id": "%s", "started_at": "%s"', l.job_id,
                      tfx.format_micros(l.claimed_at)),
               CASE WHEN j.attachments THEN '"attachments_status": "complete"' END,
               CASE WHEN j.secrets THEN '"client_id": ' || coalesce(to_json(j.submitter)::text, 'null')
               END,
               CASE WHEN l.lease_s IS NOT NULL THEN
                   format('"lease": {"token": "%s", "seconds": %s, "attempt": %s, "stop_after": 3600}',
                          l.token, l.lease_s, l.attempt) END))
    FROM unnest(p_ids) i(id)
    JOIN tf.lease l ON l.job_id = i.id
    JOIN tf.job j ON j.id = i.id
    LEFT JOIN tf.definition d ON d.week = l.week AND d.job_id = i.id;
END
$$;
