-- SPDX-License-Identifier: GPL-3.0-or-later
-- tfx.take_result() for posts that neither end their jobs nor tell a stop, from the agents that have the
-- leases: the arrays have an element for each, in the order of the jobs, whose leases are locked.
CREATE FUNCTION tfx.take_results(p_ids uuid[], p_attempts int[], p_weeks date[], p_agents text[],
                                 p_tokens text[], p_statuses text[], p_device_infos text[],
                                 p_job_states text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := clock_timestamp();
BEGIN
    UPDATE tf.lease l
    SET confirmed = (s.new).confirmed, lease_until = (s.new).lease_until, job_state = (s.new).job_state
    FROM (SELECT o.place, o.old, tfx.judge_sign(o.old, u.agent, u.token, u.job_state) AS new
          FROM unnest(p_ids, p_agents, p_tokens, p_job_states) u(id, agent, token, job_state)
          CROSS JOIN LATERAL (
              SELECT i.ctid AS place, i AS old FROM tf.lease i WHERE i.job_id = u.id LIMIT 1) o
          OFFSET 0) s
    WHERE l.ctid = s.place AND s.new IS DISTINCT FROM s.old;
    PERFORM tfx.begin_phases(p_ids, p_attempts, p_job_states, v_at);
    PERFORM tfx.store_results(p_ids, p_attempts, p_weeks, p_statuses, p_device_infos, v_at);
    UPDATE tf.attempt a SET version = a.version + 1
    WHERE a.job_id = ANY (p_ids) AND a.attempt = p_attempts[array_position(p_ids, a.job_id)];
END
$$;
