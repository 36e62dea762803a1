-- SPDX-License-Identifier: GPL-3.0-or-later
-- api.post_result() for many posts in one transaction, of one job at most one: the arrays are the parameters of
-- each.  A row for each request (its index from 0) of which there is more to say:
--   queue   where its job can be claimed again after that
--   alone   it is to be made alone, since nothing was done for it: its job does not run under this agent or
--           token, or somebody else holds its lease, and the others do not wait for that
-- What fails for one fails all.  The usual ones are made together; for a few that does not pay.
CREATE FUNCTION api.post_results(p_ids uuid[], p_agents text[], p_tokens text[], p_statuses text[],
                                 p_device_infos text[], p_job_states text[], p_stopped text[])
RETURNS TABLE (request int, queue text, alone boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    c_few CONSTANT int := 3;
    v_done int[] := '{}';
    v_result record;
BEGIN
    IF cardinality(p_ids) > c_few THEN
        v_done := tfx.take_usual(p_ids, p_agents, p_tokens, p_statuses, p_device_infos, p_job_states,
                                 p_stopped);
    END IF;
    FOR i IN 1..cardinality(p_ids) LOOP
        CONTINUE WHEN i = ANY (v_done);
        v_result := tfx.try_result(p_ids[i], p_agents[i], p_tokens[i], p_statuses[i], p_device_infos[i],
                                   p_job_states[i], p_stopped[i]);
        request := i - 1;
        queue := v_result.queue;
        alone := NOT v_result.done;
        IF alone OR queue IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
