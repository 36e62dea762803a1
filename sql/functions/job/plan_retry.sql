-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether an attempt that is about to end for one of p_causes (agent_lost, outcome, phase that failed)
-- is followed by another one: not unless the queue allows it; as the job wants; and if it says
-- nothing, once, when its agent was lost before the test phase.
-- exclude: an agent that must not get it: one that knows no tokens (what it left behind or sends late
-- would count for the new attempt), or any, if the job wants another one.  If then nobody is left to
-- serve the queue there is no other attempt.  not_before: NULL, or when it may be claimed.
CREATE FUNCTION tfx.plan_retry(p_row tf.lease, p_causes text[], OUT retries boolean,
                               OUT exclude text, OUT not_before timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    v_job tf.job;
    v_lost boolean := 'agent_lost' = ANY (p_causes);
BEGIN
    SELECT * INTO v_job FROM tf.job j WHERE j.id = p_row.job_id;
    IF EXISTS (SELECT FROM tf.queue_policy q WHERE q.queue = p_row.queue AND NOT q.retry) THEN
        retries := false;
    ELSIF v_job.retry_max IS NULL THEN
        retries := v_lost AND p_row.lost = 0
            AND p_row.job_state IN ('running', 'setup', 'provision', 'firmware_update');
    ELSE
        retries := p_row.lost < v_job.retry_max
            AND coalesce(v_job.retry_on, '{agent_lost}') && (p_causes COLLATE "C");
    END IF;
    IF p_row.lease_s IS NULL OR v_job.retry_elsewhere THEN
        exclude := p_row.agent;
        retries := retries AND tfx.is_served(p_row.queue, p_row.exclude_agents || exclude);
    END IF;
    IF v_job.retry_backoff_s > 0 THEN
        not_before := clock_timestamp() + make_interval(secs => v_job.retry_backoff_s);
    END IF;
END
$$;
