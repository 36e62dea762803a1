-- SPDX-License-Identifier: GPL-3.0-or-later
-- The claim of an agent that waits for work: p_requests is a list with its one request, as
-- api.claim_jobs() takes it.  p_seen: NULL at its first look, then what the look before returned as
-- seen, which stands for the agent's state and for who may use its queues.
-- changed: that is another one now; nothing is handed out, the agent is to look at itself.
-- others: there are jobs in its queues that it did not get.  job_id, body, secrets: the job, if any;
-- an agent that is away gets none.  Always one row.
CREATE FUNCTION api.claim_or_wait(p_requests jsonb, p_seen text)
RETURNS TABLE (seen text, changed boolean, others boolean, job_id text, body text, secrets text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_name text := p_requests #>> '{0,agent}';
    v_agent tf.agent;
BEGIN
    others := tfx.has_work(p_requests #> '{0,queues}');
    IF others OR EXISTS (SELECT FROM tf.lease l WHERE l.agent = v_name) THEN
        -- Whoever sends the agent away waits until it has its job, or it sees that and gets none.
        SELECT * INTO v_agent FROM tf.agent a WHERE a.name = v_name FOR SHARE;
        seen := tfx.name_standing(v_agent);
        changed := p_seen <> seen;
        IF changed IS NOT TRUE AND NOT coalesce(v_agent.state IN ('offline', 'maintenance'), false) THEN
            SELECT c.job_id, c.body, c.secrets INTO job_id, body, secrets
            FROM api.claim_jobs(p_requests) c;
            others := others AND tfx.has_work(p_requests #> '{0,queues}');
        END IF;
    ELSE
        SELECT * INTO v_agent FROM tf.agent a WHERE a.name = v_name;
        seen := tfx.name_standing(v_agent);
        changed := p_seen <> seen;
    END IF;
    changed := coalesce(changed, false);
    RETURN NEXT;
END
$$;
