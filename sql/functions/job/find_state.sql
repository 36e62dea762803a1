-- SPDX-License-Identifier: GPL-3.0-or-later
-- The job_state clients see; NULL when there is no such job.  A job that runs or has ended is seen by one
-- look at its lease or at itself; a cancelled one by either.  Of the others one statement: one snapshot, so
-- a job on the move is seen at one of its places.
CREATE FUNCTION tfx.find_state(p_id uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    SELECT l.job_state INTO v_state FROM tf.lease l WHERE l.job_id = p_id;
    IF FOUND THEN
        RETURN v_state;
    END IF;
    SELECT j.final_state INTO v_state FROM tf.job j WHERE j.id = p_id;
    IF v_state IS NOT NULL OR NOT FOUND THEN
        RETURN v_state;
    END IF;
    SELECT coalesce(j.final_state, l.job_state, w.job_state, h.job_state, 'waiting') INTO v_state
    FROM tf.job j
    LEFT JOIN tf.lease l ON l.job_id = j.id
    LEFT JOIN tf.wait w ON w.queue = j.queue AND w.seq = j.seq
        AND w.nprio = tfx.negate_priority(j.priority)
    LEFT JOIN tf.hold h ON h.job_id = j.id
    WHERE j.id = p_id;
    RETURN v_state;
END
$$;
