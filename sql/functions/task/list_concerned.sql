-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who may wait for news when these jobs have changed: kind is job or queue, as the servers tell each
-- other.  A queue only if something may be claimed there: one of its jobs lives.
CREATE FUNCTION tfx.list_concerned(p_jobs uuid[]) RETURNS TABLE (kind text, name text)
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT 'job', i.id::text FROM unnest(p_jobs) i(id)
    UNION ALL
    SELECT DISTINCT 'queue', j.queue::text
    FROM unnest(p_jobs) i(id)
    CROSS JOIN LATERAL (SELECT * FROM tf.job o WHERE o.id = i.id LIMIT 1) j
    WHERE j.final_state IS NULL;
END
$$;
