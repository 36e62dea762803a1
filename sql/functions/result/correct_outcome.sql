-- SPDX-License-Identifier: GPL-3.0-or-later
-- A lost agent posted the end of its attempt after all: the outcome of its job, once, within a day.
CREATE FUNCTION tfx.correct_outcome(p_id uuid, p_attempt int, p_outcome text, p_status text,
                                    p_agent text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tf.job j SET outcome = p_outcome, exit_codes = p_status::jsonb
    WHERE j.id = p_id AND j.outcome = 'agent_lost' AND j.attempts = p_attempt
        AND j.finished_at > now() - make_interval(secs => tfx.find_rule('late_result_s'));
    IF FOUND THEN
        PERFORM tfx.record_event(p_id, p_attempt, 'complete', 'late_result', p_agent, p_outcome);
    END IF;
END
$$;
