-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes those of a batch of posts (api.post_results) together that are not special (tfx.sort_posts), from the
-- agents that have the leases, which nobody else holds.  Returns their numbers.
CREATE FUNCTION tfx.take_usual(p_ids uuid[], p_agents text[], p_tokens text[], p_statuses text[],
                               p_device_infos text[], p_job_states text[], p_stopped text[]) RETURNS int[]
LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_done int[] := '{}';
    v_ours int[] := ARRAY(
        SELECT p.n
        FROM tf.lease l
        CROSS JOIN LATERAL (SELECT array_position(p_ids, l.job_id) AS n) p
        WHERE l.job_id = ANY (p_ids)
            AND CASE WHEN p_tokens[p.n] IS NULL THEN l.agent = p_agents[p.n]
                ELSE l.token::text = lower(p_tokens[p.n]) END
        ORDER BY l.job_id FOR UPDATE OF l SKIP LOCKED);
BEGIN
    FOR v IN SELECT * FROM tfx.sort_posts(v_ours, p_ids, p_agents, p_tokens, p_statuses, p_device_infos,
                                          p_job_states, p_stopped)
    LOOP
        IF v.ends THEN
            PERFORM tfx.finish_jobs(v.ids, v.attempts, v.weeks, v.agents, v.statuses,
                                    v.device_infos, v.job_states, v.known);
        ELSE
            PERFORM tfx.take_results(v.ids, v.attempts, v.weeks, v.agents, v.tokens, v.statuses,
                                     v.device_infos, v.job_states);
        END IF;
        v_done := v_done || v.numbers;
    END LOOP;
    RETURN v_done;
END
$$;
