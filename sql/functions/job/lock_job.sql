-- SPDX-License-Identifier: GPL-3.0-or-later
-- Finds a living job in whichever of tf.hold, tf.wait, tf.lease it is, locks the row and returns it in
-- the shape of a lease.  ret_state: held, waiting or running; cancelling: it has ended and only its
-- lease is left; for an ended job without one its final state, and no row; NULL when there is no
-- such job.  Until the end of the transaction no other attempt of it can begin.
-- Most are asked for while they run, so tf.lease is looked at first.  One that is not there, or leaves it
-- meanwhile, is followed: a job that moves while we look is met at its next place, since each statement
-- sees what was committed before it.  moving, and no row: five rounds did not meet it; the caller goes
-- on to another job or says that (tfx.refuse_moving).
CREATE FUNCTION tfx.lock_job(p_id uuid, OUT ret_state text, OUT ret_row tf.lease)
LANGUAGE plpgsql AS $$
DECLARE
    v_job tf.job;
BEGIN
    SELECT l.* INTO ret_row FROM tf.lease l WHERE l.job_id = p_id FOR UPDATE;
    IF FOUND THEN
        ret_state := CASE WHEN ret_row.job_state = 'cancelled' THEN 'cancelling' ELSE 'running' END;
        RETURN;
    END IF;
    SELECT * INTO v_job FROM tf.job j WHERE j.id = p_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR v_round IN 1..5 LOOP
        ret_state := 'held';
        SELECT h.job_id, h.queue, h.nprio, h.seq, h.week, h.week, h.attempt, h.lost, NULL, NULL,
               NULL, NULL, NULL, NULL, NULL, NULL, h.job_state, h.exclude_agents, NULL
        INTO ret_row FROM tf.hold h WHERE h.job_id = p_id FOR UPDATE;
        EXIT WHEN FOUND;
        ret_state := 'waiting';
        SELECT w.job_id, w.queue, w.nprio, w.seq, w.week, w.week, w.attempt, w.lost, NULL, NULL,
               NULL, NULL, NULL, NULL, NULL, NULL, w.job_state, w.exclude_agents, NULL
        INTO ret_row FROM tf.wait w
        WHERE w.queue = v_job.queue AND w.seq = v_job.seq
            AND w.nprio = tfx.negate_priority(v_job.priority) FOR UPDATE;
        EXIT WHEN FOUND;
        ret_state := 'running';
        SELECT l.* INTO ret_row FROM tf.lease l WHERE l.job_id = p_id FOR UPDATE;
        IF FOUND AND ret_row.job_state = 'cancelled' THEN
            ret_state := 'cancelling';
        END IF;
        EXIT WHEN FOUND;
        SELECT j.final_state INTO ret_state FROM tf.job j WHERE j.id = p_id;
        IF ret_state IS NOT NULL THEN
            RETURN;
        END IF;
    END LOOP;
    ret_state := coalesce(ret_state, 'moving');
END
$$;
