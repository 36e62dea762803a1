-- SPDX-License-Identifier: GPL-3.0-or-later
-- The agent of the newest attempt (p_attempt: tfx.find_attempt) posted the end.  Ends the job wherever it
-- is (p_state, p_row: tfx.lock_job), or tries again if its policy says so; a job that was given up as lost gets
-- its outcome corrected, once, within a day.  p_status: the exit codes that came with it, stored already.
-- Returns the queue where the job can be claimed again, or NULL.
CREATE FUNCTION tfx.finish_job(p_id uuid, p_state text, p_row tf.lease, p_attempt record, p_final text,
                               p_agent text, p_stopped text, p_status text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_status text := coalesce(p_status, tfx.find_status(p_attempt.week, p_id, p_attempt.attempt));
    v_judged record;
    v_plan record;
BEGIN
    IF p_state IS NULL OR p_state = 'cancelled' THEN
        RETURN NULL;
    ELSIF p_state IN ('held', 'waiting') AND EXISTS (
            -- That attempt has failed and another is to follow: its agent posts the end once more.
            SELECT FROM tf.attempt a
            WHERE a.job_id = p_id AND a.attempt = p_attempt.attempt AND a.reason = 'retried') THEN
        RETURN CASE p_state WHEN 'waiting' THEN p_row.queue END;
    END IF;
    PERFORM tfx.drop_place(p_state, p_row);
    IF p_state = 'cancelling' THEN
        PERFORM tfx.record_event(p_id, p_attempt.attempt, 'cancelling', 'complete', p_agent, NULL);
        RETURN NULL;
    END IF;
    PERFORM tfx.mark_stop(p_id, p_attempt.attempt, p_stopped);
    v_judged := tfx.judge_attempt(p_id, p_attempt.attempt, v_status);
    IF p_state = 'running' AND v_judged.outcome <> 'passed' THEN
        v_plan := tfx.plan_retry(p_row, v_judged.causes);
        IF v_plan.retries THEN
            PERFORM tfx.requeue_job(p_row, 'retry', 'retried', v_judged.outcome, v_plan.exclude,
                                    v_plan.not_before);
            RETURN CASE WHEN v_plan.not_before IS NULL THEN p_row.queue END;
        END IF;
    END IF;
    IF p_row.job_id IS NOT NULL THEN
        PERFORM tfx.end_job(p_state, p_row, 'complete', p_final, v_judged.outcome, p_agent,
                            v_status);
    ELSE
        PERFORM tfx.correct_outcome(p_id, p_attempt.attempt, v_judged.outcome, v_status, p_agent);
    END IF;
    RETURN NULL;
END
$$;
