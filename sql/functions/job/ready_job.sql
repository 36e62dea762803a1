-- SPDX-License-Identifier: GPL-3.0-or-later
-- The attachments of a held job have arrived: it can be claimed from now on.  false: it was not
-- held (any more).
CREATE FUNCTION api.ready_job(p_id uuid) RETURNS TABLE (ready boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_hold tf.hold;
BEGIN
    DELETE FROM tf.hold h WHERE h.job_id = p_id RETURNING h.* INTO v_hold;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false;
        RETURN;
    END IF;
    INSERT INTO tf.wait (queue, nprio, seq, job_id, week, attempt, lost, since, exclude_agents,
                         job_state)
    VALUES (v_hold.queue, v_hold.nprio, v_hold.seq, p_id, v_hold.week, v_hold.attempt, v_hold.lost,
            v_hold.since, v_hold.exclude_agents, v_hold.job_state);
    PERFORM tfx.record_event(p_id, v_hold.attempt, 'held', 'ready', NULL, v_hold.why);
    RETURN QUERY SELECT true;
END
$$;
