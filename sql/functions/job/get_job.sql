-- SPDX-License-Identifier: GPL-3.0-or-later
-- The stored definition of a job with its job_id.  No row: unknown, or its week is gone.
CREATE FUNCTION api.get_job(p_id uuid) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_week date;
BEGIN
    -- First the week: a join would be planned with every partition, at each call.
    SELECT j.week INTO v_week FROM tf.job j WHERE j.id = p_id;
    RETURN QUERY
    SELECT tfx.add_members(d.body, format('"job_id": "%s"', p_id))
    FROM tf.definition d WHERE d.week = v_week AND d.job_id = p_id;
END
$$;
