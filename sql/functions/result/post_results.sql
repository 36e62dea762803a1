-- SPDX-License-Identifier: GPL-3.0-or-later
-- api.post_result() for many posts in one transaction, of one job at most one: the arrays are the parameters of
-- each.  A row for each request (its index from 0) of which there is more to say:
--   queue   where its job can be claimed again after that
--   alone   it is to be made alone, since nothing was done for it: its job does not run under this agent or
--           token, or somebody else holds its lease, and the others do not wait for that
-- What fails for one fails all.
CREATE FUNCTION api.post_results(p_ids uuid[], p_agents text[], p_tokens text[], p_statuses text[],
                                 p_device_infos text[], p_job_states text[], p_stopped text[])
RETURNS TABLE (request int, queue text, alone boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v record;
    v_done bigint[];
BEGIN
    alone := false;
    FOR v IN
        SELECT l AS lease, CASE l.job_state WHEN 'cancelled' THEN 'cancelling' ELSE 'running' END AS state,
               p.*
        FROM unnest(p_ids, p_agents, p_tokens, p_statuses, p_device_infos, p_job_states, p_stopped)
            WITH ORDINALITY p(id, agent, token, status, device_info, job_state, stopped, n)
        JOIN tf.lease l ON l.job_id = p.id
            AND CASE WHEN p.token IS NULL THEN l.agent = p.agent
                ELSE l.token::text = lower(p.token) END
        ORDER BY p.id FOR UPDATE OF l SKIP LOCKED
    LOOP
        queue := tfx.take_result(v.id, v.state, v.lease, v.agent, v.token, v.status, v.device_info,
                                 v.job_state, v.stopped);
        v_done := v_done || v.n;
        IF queue IS NOT NULL THEN
            request := v.n - 1;
            RETURN NEXT;
        END IF;
    END LOOP;
    IF cardinality(v_done) IS DISTINCT FROM cardinality(p_ids) THEN
        RETURN QUERY SELECT u.n::int - 1, NULL::text, true FROM unnest(p_ids) WITH ORDINALITY u(id, n)
        WHERE NOT coalesce(u.n = ANY (v_done), false);
    END IF;
END
$$;
