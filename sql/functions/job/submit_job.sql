-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes a new job.  p_definition: the text to keep, a JSON object without job_id, never opened
-- here.  p_facts: what was read from it and from the caller's token (tfx.judge_submissions; also
-- id or new_id, sha256 of the canonical definition, parent, name, tags, hold, client_id, and secrets:
-- the paths in the order in which they are named).
-- The same definition under an id that exists is the same job again: created is false.  So is the
-- same body under a key of the caller's (tfx.take_key), whatever the caller may do by now.
--   TF400 TF401 TF403 TF422  see tfx.judge_submissions
--   TF409  the id names a job with another definition or of another caller
CREATE FUNCTION api.submit_job(p_definition text, p_facts jsonb)
RETURNS TABLE (job_id text, created boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_job tf.job;
    v_id uuid := coalesce(p_facts ->> 'id', p_facts ->> 'new_id')::uuid;
    v_known uuid;
    v_refused record;
BEGIN
    IF p_facts ? 'key' THEN
        v_known := tfx.take_key(p_facts, v_id);
        IF v_known IS NOT NULL THEN
            RETURN QUERY SELECT v_known::text, false;
            RETURN;
        END IF;
    END IF;
    SELECT * INTO v_refused FROM tfx.judge_submissions(jsonb_build_array(p_facts));
    IF FOUND THEN
        RAISE EXCEPTION '%', v_refused.why USING ERRCODE = v_refused.failure;
    END IF;
    INSERT INTO tf.job (id, week, queue, priority, submitter, parent, parent_id, name,
                        exclude_agents, attachments, secrets, global_timeout, sha256, retry_max,
                        retry_on, retry_elsewhere, retry_backoff_s)
    VALUES (v_id, tfx.find_week(now()), p_facts ->> 'queue',
            coalesce((p_facts ->> 'priority')::bigint, 0), p_facts ->> 'client_id',
            p_facts ->> 'parent', (p_facts ->> 'parent_id')::uuid, p_facts ->> 'name',
            nullif(ARRAY(SELECT jsonb_array_elements_text(
                             coalesce(p_facts -> 'exclude_agents', '[]'))), '{}'),
            coalesce((p_facts ->> 'hold')::boolean, false), p_facts ? 'secrets',
            (p_facts ->> 'global_timeout')::bigint, decode(p_facts ->> 'sha256', 'hex'),
            (p_facts #>> '{retry,max}')::int,
            CASE WHEN p_facts ? 'retry' THEN ARRAY(SELECT jsonb_array_elements_text(
                coalesce(p_facts #> '{retry,on}', '["agent_lost"]'))) END,
            (p_facts #>> '{retry,avoid_same_agent}')::boolean,
            (p_facts #>> '{retry,backoff}')::int)
    ON CONFLICT (id) DO NOTHING
    RETURNING * INTO v_job;
    IF FOUND THEN
        PERFORM tfx.place_job(v_job, p_definition, p_facts);
    ELSIF NOT EXISTS (
        SELECT FROM tf.job j
        WHERE j.id = v_id AND j.sha256 = decode(p_facts ->> 'sha256', 'hex')
            AND j.submitter IS NOT DISTINCT FROM p_facts ->> 'client_id') THEN
        RAISE EXCEPTION 'job "%" exists with another definition', v_id USING ERRCODE = 'TF409';
    END IF;
    RETURN QUERY SELECT v_id::text, v_job.id IS NOT NULL;
END
$$;
