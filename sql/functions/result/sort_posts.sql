-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which of the posts of a batch (api.post_results) are made together, as the arrays for that: of those with
-- the numbers p_ours, from the agents that have the leases, which are locked.  Left out are those that
-- tell why a phase was stopped, and the ends of jobs that were cancelled or may be tried again.
-- ends: tfx.finish_jobs, or else tfx.take_results.  known: the exit codes of an attempt that ends.
CREATE FUNCTION tfx.sort_posts(p_ours int[], p_ids uuid[], p_agents text[], p_tokens text[],
                               p_statuses text[], p_device_infos text[], p_job_states text[],
                               p_stopped text[])
RETURNS TABLE (ends boolean, numbers int[], ids uuid[], attempts int[], weeks date[], agents text[],
               tokens text[], statuses text[], device_infos text[], job_states text[], known text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.ends, array_agg(s.n::int), array_agg(s.id), array_agg(s.attempt), array_agg(s.attempt_week),
           array_agg(s.agent), array_agg(s.token), array_agg(s.status), array_agg(s.device_info),
           array_agg(s.job_state), array_agg(s.known)
    FROM (SELECT p.*, e.ends, l.attempt, l.attempt_week, coalesce(p.status, o.status) AS known,
                 l.job_state AS shown
          FROM unnest(p_ids, p_agents, p_tokens, p_statuses, p_device_infos, p_job_states, p_stopped)
              WITH ORDINALITY p(id, agent, token, status, device_info, job_state, stopped, n)
          CROSS JOIN LATERAL (
              SELECT coalesce(p.job_state IN ('complete', 'completed'), false) AS ends) e
          CROSS JOIN LATERAL (SELECT * FROM tf.lease i WHERE i.job_id = p.id LIMIT 1) l
          LEFT JOIN LATERAL (
              SELECT r.status FROM tf.result r
              WHERE e.ends AND p.status IS NULL
                  AND r.week = l.attempt_week AND r.job_id = p.id AND r.attempt = l.attempt LIMIT 1) o ON true
          WHERE p.n = ANY (p_ours) AND p.stopped IS NULL
          ORDER BY ends, p.id) s
    WHERE NOT s.ends OR s.shown <> 'cancelled' AND tfx.find_failed_phase(s.known::jsonb) IS NULL
    GROUP BY s.ends;
END
$$;
