-- SPDX-License-Identifier: GPL-3.0-or-later
-- Where a job stands, as a JSON object without its logs.  No row: unknown job.  p_agent: the agent
-- that asks, or NULL, p_token: its lease's, as in api.read_result().
-- version stands for all of it but the position and the estimate made of it, which move with other jobs.
--   TF409  the token is stale
CREATE FUNCTION api.get_job_status(p_id uuid, p_agent text, p_token text DEFAULT NULL)
RETURNS TABLE (body text, version text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v record;
    v_version text;
BEGIN
    IF p_agent IS NOT NULL OR p_token IS NOT NULL THEN
        PERFORM tfx.hear_agent(p_id, p_agent, p_token);
    END IF;
    -- One statement: a job on the move is seen at one of its places.
    SELECT json_build_object(
               'job_id', j.id, 'job_queue', j.queue,
               'job_state', CASE WHEN tfx.has_lost_job(j.id, p_agent, a.agent) THEN 'cancelled'
                   ELSE coalesce(j.final_state, l.job_state, w.job_state, h.job_state, 'waiting') END,
               'outcome', j.outcome,
               'phase', (SELECT e.name FROM unnest(enum_range(NULL::tf.phase_name)) e(name)
                         WHERE e.name::text = l.job_state),
               'exit_codes', coalesce(tfx.find_status(a.week, j.id, a.attempt), '{}')::json,
               'agent', a.agent, 'attempt', coalesce(a.attempt, 0),
               'waits_for', CASE WHEN w.job_id IS NOT NULL THEN 'agent' ELSE h.why END,
               'waiting_because', y.because,
               'created_at', tfx.format_micros(j.created_at),
               'started_at', tfx.format_micros(CASE WHEN a.attempt > 0 THEN a.claimed_at END),
               'finished_at', tfx.format_micros(j.finished_at))::text AS facts,
           y.because, j.queue, p.nprio, j.seq, j.final_state = 'cancelled' AS cancelled
    INTO v
    FROM tf.job j
    CROSS JOIN LATERAL (SELECT tfx.negate_priority(j.priority) AS nprio) p
    LEFT JOIN tf.lease l ON l.job_id = j.id
    LEFT JOIN tf.wait w ON w.queue = j.queue AND w.nprio = p.nprio AND w.seq = j.seq
    LEFT JOIN tf.hold h ON h.job_id = j.id
    CROSS JOIN LATERAL (SELECT CASE WHEN w.job_id IS NULL THEN h.why
                               ELSE tfx.explain_wait(j.queue, w.exclude_agents) END AS because) y
    LEFT JOIN LATERAL (SELECT * FROM tf.attempt o WHERE o.job_id = j.id
                       ORDER BY o.attempt DESC LIMIT 1) a ON true
    WHERE j.id = p_id;
    IF v.cancelled AND (p_agent IS NOT NULL OR p_token IS NOT NULL) THEN
        PERFORM tfx.confirm_cancel(p_id, p_agent, p_token);
    END IF;
    IF v.facts IS NOT NULL THEN
        v_version := tfx.name_version(v.facts);
        RETURN QUERY SELECT tfx.add_members(v.facts, concat_ws(', ',
            tfx.render_position(v.queue, v.nprio, v.seq, v.because),
            format('"version" : "%s"', v_version))), v_version;
    END IF;
END
$$;
