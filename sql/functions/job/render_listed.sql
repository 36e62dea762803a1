-- SPDX-License-Identifier: GPL-3.0-or-later
-- Those of the given jobs that belong to a list (api.list_jobs), in the order given, the first p_rows:
-- each as a JSON object, counted from 1.
CREATE FUNCTION tfx.render_listed(p_query jsonb, p_seqs bigint[], p_rows int)
RETURNS TABLE (n bigint, seq bigint, line text)
LANGUAGE plpgsql AS $$
DECLARE
    v_states text[] := ARRAY(SELECT jsonb_array_elements_text(p_query -> 'states'));
    v_tags text[] := ARRAY(SELECT jsonb_array_elements_text(p_query -> 'tags'));
    -- How many of the tags a job must have.
    v_needed bigint := CASE WHEN (p_query ->> 'all')::boolean
                            THEN (SELECT count(DISTINCT u.tag) FROM unnest(v_tags) u(tag))
                            ELSE least(1, cardinality(v_tags)) END;
    v_living boolean := tfx.wants_living(p_query);
BEGIN
    RETURN QUERY
    SELECT row_number() OVER (ORDER BY p.place), p.seq,
           CASE WHEN p_query ? 'queue'
                THEN json_build_object('job_id', j.id, 'created_at', tfx.format_seconds(j.created_at),
                                       'job_state', s.job_state, 'job_queue', j.queue)
                ELSE json_build_object('job_id', j.id, 'created_at', tfx.format_seconds(j.created_at),
                                       'job_state', s.job_state) END::text
    FROM unnest(p_seqs) WITH ORDINALITY p(seq, place)
    CROSS JOIN LATERAL (SELECT * FROM tf.job o WHERE o.seq = p.seq LIMIT 1) j
    CROSS JOIN LATERAL (SELECT coalesce(j.final_state,
            (SELECT l.job_state FROM tf.lease l WHERE l.job_id = j.id),
            (SELECT w.job_state FROM tf.wait w
             WHERE w.queue = j.queue AND w.nprio = tfx.negate_priority(j.priority) AND w.seq = j.seq),
            (SELECT h.job_state FROM tf.hold h WHERE h.job_id = j.id), 'waiting') AS job_state) s
    WHERE NOT (v_living AND j.final_state IS NOT NULL)
        AND (v_states = '{}' OR s.job_state = ANY (v_states))
        -- Counted, because EXISTS would be planned as a hash of all jobs that ever had one of the tags.
        AND (v_needed = 0 OR v_needed <= (SELECT count(*) FROM tf.job_tag g
                                          WHERE g.tag = ANY (v_tags) AND g.seq = p.seq))
    ORDER BY p.place LIMIT p_rows;
END
$$;
