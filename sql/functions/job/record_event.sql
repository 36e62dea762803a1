-- SPDX-License-Identifier: GPL-3.0-or-later
-- Looks up what an event does to a job in a state and writes it down.  Returns the new state.
-- The guard of every change of state:
--   TF409  the event is not allowed in this state
CREATE FUNCTION tfx.record_event(p_id uuid, p_attempt int, p_from text, p_event text, p_who text,
                                 p_why text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_to text;
BEGIN
    SELECT t.to_state INTO v_to
    FROM tf.transition t WHERE t.from_state = p_from AND t.event = p_event;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'job "%" is %: "%" is not possible', p_id, p_from, p_event
            USING ERRCODE = 'TF409';
    END IF;
    INSERT INTO tf.event (job_id, attempt, at, event, from_state, to_state, who, why)
    VALUES (p_id, p_attempt, clock_timestamp(), p_event, p_from, v_to, p_who, p_why);
    RETURN v_to;
END
$$;
