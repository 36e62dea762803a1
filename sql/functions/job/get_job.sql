-- SPDX-License-Identifier: GPL-3.0-or-later
-- The stored definition of a job with its job_id.  No row: unknown, or its week is gone.
CREATE FUNCTION api.get_job(p_id uuid) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT tfx.add_members(d.body, format('"job_id": "%s"', j.id))
    FROM tf.job j
    CROSS JOIN LATERAL (SELECT o.body FROM tf.definition o
                        WHERE o.week = j.week AND o.job_id = p_id LIMIT 1) d
    WHERE j.id = p_id;
END
$$;
