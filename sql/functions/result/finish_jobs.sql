-- SPDX-License-Identifier: GPL-3.0-or-later
-- tfx.take_result() for posts of the ends of running jobs that passed, from the agents that have the
-- leases: the arrays have an element for each, in the order of the jobs, whose leases are locked.
-- p_known: the exit codes of their attempts, by these posts or earlier ones.
CREATE FUNCTION tfx.finish_jobs(p_ids uuid[], p_attempts int[], p_weeks date[], p_agents text[],
                                p_statuses text[], p_device_infos text[], p_finals text[],
                                p_known text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    PERFORM tfx.store_results(p_ids, p_attempts, p_weeks, p_statuses, p_device_infos,
                              clock_timestamp());
    WITH ended AS (
        DELETE FROM tf.lease l
        WHERE l.job_id = ANY (p_ids)
        RETURNING l.job_id, l AS lease, array_position(p_ids, l.job_id) AS n)
    SELECT array_agg(e.job_id) AS ids, array_agg(e.lease) AS leases, array_agg(p_agents[e.n]) AS agents,
           array_agg(p_finals[e.n]) AS finals, array_agg(p_known[e.n]) AS known
    INTO v FROM ended e;
    PERFORM tfx.end_jobs('running', v.ids, v.leases, 'complete', v.finals, 'passed', v.agents,
                         v.known);
END
$$;
