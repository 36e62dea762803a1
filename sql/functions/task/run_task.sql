-- SPDX-License-Identifier: GPL-3.0-or-later
-- Does one piece of periodic work, one bounded batch of it, unless another server is at it or did it
-- within p_every_ms: then no row.  Rows: ('run', 1), what was done and how often, and
-- ('more', 1) if there is more to do at once; and ('run', 1, kind, name) for whom it concerns, once it is
-- committed (tfx.list_concerned); and (task, 1, 'warning', text) for operators.  server/tasks/tasks.def has the same list of tasks.
-- A lock that does not come within two seconds ends it: it is tried again before long.
--   TF404  no such task
CREATE FUNCTION api.run_task(p_task text, p_every_ms bigint)
RETURNS TABLE (what text, count bigint, kind text, name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s' AS $$
#variable_conflict use_column
DECLARE
    v_batch constant int := 500;
    v_done bigint;
    v_jobs uuid[];
BEGIN
    IF NOT tfx.begin_task(p_task, p_every_ms) THEN
        RETURN;
    END IF;
    RETURN QUERY VALUES ('run', 1::bigint, NULL, NULL);
    CASE p_task
    WHEN 'reap_leases' THEN
        RETURN QUERY
        WITH r AS MATERIALIZED (SELECT * FROM tfx.reap_leases(v_batch))
        SELECT coalesce(r.reason, 'more'), count(*), NULL, NULL FROM r
        GROUP BY GROUPING SETS (r.reason, ())
        HAVING r.reason IS NOT NULL
            OR count(*) FILTER (WHERE NOT r.reason IN ('shifted', 'braked', 'failed')) = v_batch
        UNION ALL
        SELECT 'run', 1, c.kind, c.name FROM tfx.list_concerned(ARRAY(
            SELECT r.job_id::uuid FROM r WHERE NOT r.reason IN ('shifted', 'braked', 'failed'))) c;
        RETURN;
    WHEN 'rotate_hot' THEN
        RETURN QUERY SELECT * FROM tfx.rotate_hot(2000, 2, '50 ms');
        RETURN;
    WHEN 'cancel_orphans' THEN v_jobs := tfx.cancel_orphans(v_batch);
    WHEN 'release_jobs' THEN v_jobs := tfx.release_jobs(v_batch);
    WHEN 'expire_jobs' THEN v_jobs := tfx.expire_jobs(v_batch);
    WHEN 'purge_refresh_tokens' THEN v_done := tfx.purge_refresh_tokens(v_batch);
    WHEN 'purge_secrets' THEN v_done := tfx.purge_secrets(v_batch);
    WHEN 'purge_strays' THEN v_done := tfx.purge_strays(v_batch);
    WHEN 'purge_submission_keys' THEN v_done := tfx.purge_submission_keys(v_batch);
    WHEN 'purge_wait_samples' THEN v_done := tfx.purge_wait_samples(v_batch);
    WHEN 'sweep_files' THEN v_done := tfx.sweep_files(v_batch);
    WHEN 'make_partitions' THEN v_done := tfx.make_partitions(4);
    ELSE
        RAISE EXCEPTION 'task "%" does not exist', p_task USING ERRCODE = 'TF404';
    END CASE;
    v_done := coalesce(v_done, cardinality(v_jobs));
    RETURN QUERY SELECT p_task, v_done, NULL, NULL WHERE v_done > 0
    UNION ALL SELECT 'more', 1, NULL, NULL WHERE v_done = v_batch
    UNION ALL SELECT 'run', 1, c.kind, c.name FROM tfx.list_concerned(v_jobs) c;
END
$$;
