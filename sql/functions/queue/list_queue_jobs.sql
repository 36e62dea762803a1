-- SPDX-License-Identifier: GPL-3.0-or-later
-- The jobs of a queue in the order of arrival: the unfinished, and those of the last 7 days (the
-- newest 100,000).  No row: none.
CREATE FUNCTION api.list_queue_jobs(p_queue text) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_last_old bigint;
    v_living bigint[] := tfx.list_living(p_queue);
BEGIN
    -- Numbers and times of creation rise together, so the end of the old jobs is near the top.
    SELECT j.seq INTO v_last_old
    FROM tf.job j
    WHERE j.queue = p_queue AND j.created_at < now() - interval '7 days'
    ORDER BY j.seq DESC LIMIT 1;
    RETURN QUERY
    SELECT json_agg(json_build_object(
               'job_id', s.id, 'created_at', tfx.format_seconds(s.created_at),
               'job_state', s.job_state, 'job_queue', p_queue) ORDER BY s.seq)::text
    FROM (SELECT j.id, j.seq, j.created_at,
                 coalesce(j.final_state, l.job_state, w.job_state, h.job_state, 'waiting')
                     AS job_state
          FROM (SELECT r.seq FROM tf.job r WHERE r.queue = p_queue AND r.seq > coalesce(v_last_old, 0)
                UNION SELECT unnest(v_living)) n
          JOIN tf.job j ON j.queue = p_queue AND j.seq = n.seq
          LEFT JOIN tf.lease l ON l.job_id = j.id
          LEFT JOIN tf.wait w ON w.queue = j.queue AND w.seq = j.seq
              AND w.nprio = tfx.negate_priority(j.priority)
          LEFT JOIN tf.hold h ON h.job_id = j.id
          ORDER BY j.seq DESC LIMIT 100000) s
    HAVING count(*) > 0;
END
$$;
