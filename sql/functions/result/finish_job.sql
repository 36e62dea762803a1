-- SPDX-License-Identifier: GPL-3.0-or-later
-- The agent of the newest attempt posted the end.  Ends the job wherever it is, or tries again if
-- its policy says so; a job that was given up as lost gets its outcome corrected, once, within a
-- day.  false: another attempt has begun.
--   TF503  the job kept moving: try again
CREATE FUNCTION tfx.finish_job(p_id uuid, p_attempt int, p_week date, p_final text, p_agent text,
                               p_stopped text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_status text;
    v_judged record;
    v_plan record;
BEGIN
    SELECT * INTO v FROM tfx.lock_job(p_id, p_attempt);
    IF v.ret_state = 'superseded' THEN
        RETURN false;
    ELSIF v.ret_state IS NULL OR v.ret_state IN ('cancelled', 'retried') THEN
        RETURN true;
    END IF;
    PERFORM tfx.drop_place(v.ret_state, v.ret_row);
    IF v.ret_state = 'cancelling' THEN
        PERFORM tfx.record_event(p_id, p_attempt, v.ret_state, 'complete', p_agent, NULL);
        RETURN true;
    END IF;
    PERFORM tfx.mark_stop(p_id, p_attempt, p_stopped);
    SELECT r.status INTO v_status FROM tf.result r
    WHERE r.week = p_week AND r.job_id = p_id AND r.attempt = p_attempt;
    SELECT * INTO v_judged FROM tfx.judge_attempt(p_id, p_attempt, v_status);
    IF v.ret_state = 'running' AND v_judged.outcome <> 'passed' THEN
        SELECT * INTO v_plan FROM tfx.plan_retry(v.ret_row, v_judged.causes);
        IF v_plan.retries THEN
            PERFORM tfx.requeue_job(v.ret_row, 'retry', 'retried', v_judged.outcome, v_plan.exclude,
                                    v_plan.not_before);
            RETURN true;
        END IF;
    END IF;
    IF (v.ret_row).job_id IS NOT NULL THEN
        PERFORM tfx.end_job(v.ret_state, v.ret_row, 'complete', p_final, v_judged.outcome, p_agent);
        RETURN true;
    END IF;
    UPDATE tf.job j SET outcome = v_judged.outcome, exit_codes = v_status::jsonb
    WHERE j.id = p_id AND j.outcome = 'agent_lost' AND j.attempts = p_attempt
        AND j.finished_at > now() - make_interval(secs => tfx.find_rule('late_result_s'));
    IF FOUND THEN
        PERFORM tfx.record_event(p_id, p_attempt, 'complete', 'late_result', p_agent, v_judged.outcome);
    END IF;
    RETURN true;
END
$$;
