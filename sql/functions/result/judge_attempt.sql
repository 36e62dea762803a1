-- SPDX-License-Identifier: GPL-3.0-or-later
-- The outcome of a job by what its last attempt came to, and for what the retry policy is asked:
--   passed        no phase failed
--   timed_out     one failed that was stopped: its agent said so (tfx.mark_stop), or it took as long as
--                 the job allows a phase to
--   failed        the test failed
--   infra_failed  another phase but cleanup did
CREATE FUNCTION tfx.judge_attempt(p_id uuid, p_attempt int, p_status text, OUT outcome text,
                                  OUT causes text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_phase text := tfx.find_failed_phase(p_status::jsonb);
    v_limit_s bigint;
BEGIN
    outcome := 'passed';
    IF v_phase IS NOT NULL THEN
        v_limit_s := (SELECT coalesce(j.global_timeout, 14400) FROM tf.job j WHERE j.id = p_id);
        outcome := CASE v_phase WHEN 'test' THEN 'failed' ELSE 'infra_failed' END;
        IF EXISTS (SELECT FROM tf.attempt a
                   WHERE a.job_id = p_id AND a.attempt = p_attempt AND a.stop_reason IS NOT NULL)
            OR v_phase <> 'reserve' AND EXISTS (
                SELECT FROM tf.phase p
                WHERE p.job_id = p_id AND p.attempt = p_attempt AND p.phase::text = v_phase
                    AND extract(epoch FROM p.ended_at - p.started_at) >= greatest(v_limit_s, 1)) THEN
            outcome := 'timed_out';
        END IF;
    END IF;
    causes := ARRAY[outcome, v_phase];
END
$$;
