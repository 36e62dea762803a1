-- SPDX-License-Identifier: GPL-3.0-or-later
-- The job's state and the results of p_attempt (NULL: the newest); JSON texts as posted, NULL: never
-- posted.  No row: unknown job, or it has no such attempt.  p_agent: the agent that asks, or NULL; one
-- whose attempt was given to another agent reads cancelled, so that it stops; p_token: its lease's,
-- or NULL.  logs: what has fragments, as [[type, phase, last number], …]; one index probe for each,
-- however long a log is.  attempt: the one that was read; NULL: there is none yet.
-- version changes with every change of all that; it is read first, so it is never newer than what
-- it stands for.  p_seen: text with versions the caller has, or *, or NULL: if this one is among them
-- the other columns are NULL, and were not looked for.
--   TF409  the token is stale
CREATE FUNCTION api.read_result(p_id uuid, p_agent text, p_seen text, p_token text DEFAULT NULL,
                                p_attempt int DEFAULT NULL)
RETURNS TABLE (version text, job_state text, status text, device_info text, logs text, attempt int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_state text := tfx.find_state(p_id);
    v_read tf.attempt := tfx.choose_attempt(p_id, p_attempt);
    v_newest tf.attempt;
    v_version text;
BEGIN
    IF v_state IS NULL OR p_attempt IS NOT NULL AND v_read.job_id IS NULL THEN
        RETURN;
    END IF;
    v_newest := CASE WHEN p_attempt IS NULL THEN v_read ELSE tfx.choose_attempt(p_id, NULL) END;
    IF tfx.has_lost_job(p_id, p_agent, v_newest.agent) THEN
        v_state := 'cancelled';
    END IF;
    IF p_agent IS NOT NULL OR p_token IS NOT NULL THEN
        PERFORM tfx.hear_agent(p_id, p_agent, p_token);
        IF v_state = 'cancelled' THEN
            PERFORM tfx.confirm_cancel(p_id, p_agent, p_token);
        END IF;
    END IF;
    v_version := tfx.name_version(concat_ws('/', v_read.attempt, v_read.version, v_state));
    IF p_seen = '*' OR strpos(p_seen, v_version) > 0 THEN
        RETURN QUERY SELECT v_version, NULL, NULL, NULL, NULL, v_read.attempt;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT v_version, v_state, r.status, r.device_info,
           (SELECT json_agg(json_build_array(t.type, e.phase, f.number))::text
            FROM unnest(enum_range(NULL::tf.log_type)) t(type)
            CROSS JOIN unnest(enum_range(NULL::tf.phase_name)) e(phase)
            CROSS JOIN LATERAL (
                SELECT l.number FROM tf.log l
                WHERE l.week = v_read.week AND l.job_id = p_id AND l.attempt = v_read.attempt
                    AND l.type = t.type AND l.phase = e.phase AND l.number >= 0
                ORDER BY l.number DESC LIMIT 1) f),
           v_read.attempt
    FROM (SELECT) one
    LEFT JOIN tf.result r ON r.week = v_read.week AND r.job_id = p_id
        AND r.attempt = v_read.attempt;
END
$$;
