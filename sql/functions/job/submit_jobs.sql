-- SPDX-License-Identifier: GPL-3.0-or-later
-- api.submit_job() for many new jobs, in one transaction, each as if it came alone and in their order.
-- p_definitions: the texts to keep; p_facts: a list with the facts of each.
-- A row for every submission, in no order: `request` is its index from 0; failure: the SQLSTATE it would have
-- raised (NULL: the job is made), why: the text.  Of one that fails nothing is left, and the others do
-- not notice.  55P03: nothing was done, it is to be made alone, since its key or its id is known already.
-- Two batches never wait for each other: keys are taken before jobs, and each in their order.
CREATE FUNCTION api.submit_jobs(p_definitions text[], p_facts jsonb)
RETURNS TABLE (request int, job_id text, failure text, why text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_gone int[] := '{}';
BEGIN
    FOR request, failure, why IN
        SELECT j.number - 1, j.failure, j.why FROM tfx.judge_submissions(p_facts) j
    LOOP
        v_gone := v_gone || request + 1;
        -- what was allowed under a known key is not refused today
        IF p_facts -> request ? 'key' THEN
            failure := '55P03';
        END IF;
        RETURN NEXT;
    END LOOP;
    IF p_facts @? '$[*].key' THEN
        FOREACH request IN ARRAY tfx.take_keys(p_facts, v_gone) LOOP
            v_gone := v_gone || request;
            request := request - 1;
            failure := '55P03';
            why := 'key is known';
            RETURN NEXT;
        END LOOP;
    END IF;
    RETURN QUERY
    SELECT m.number - 1, m.id::text, CASE WHEN m.id IS NULL THEN '55P03' END,
           CASE WHEN m.id IS NULL THEN 'id is known' END
    FROM tfx.make_jobs(p_definitions, p_facts, v_gone) m;
END
$$;
