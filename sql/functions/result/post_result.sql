-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an agent posts about a job: exit codes (JSON text, phase -> int), device info (JSON text)
-- and a state; NULL: the key was absent.  complete and completed end the job; waiting is ignored;
-- any other state shows while the job is open.  p_stopped: what a phase was stopped for (tfx.mark_stop).
-- Unknown job: kept, no error.  After the end the state stays and only the results are kept.
-- queue: where the job can be claimed again after that; no row: nowhere.
--   TF409  the token is stale        TF503  the job kept moving: try again
CREATE FUNCTION api.post_result(p_id uuid, p_agent text, p_token text, p_status text,
                                p_device_info text, p_job_state text,
                                p_stopped text DEFAULT NULL)
RETURNS TABLE (queue text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_place record;
BEGIN
    -- First of all the job's place: whose attempt it is does not change from now on.
    v_place := tfx.lock_job(p_id);
    PERFORM tfx.refuse_moving(p_id, v_place.ret_state);
    queue := tfx.take_result(p_id, v_place.ret_state, v_place.ret_row, p_agent, p_token, p_status,
                             p_device_info, p_job_state, p_stopped);
    IF queue IS NOT NULL THEN
        RETURN NEXT;
    END IF;
END
$$;
