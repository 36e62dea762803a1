-- SPDX-License-Identifier: GPL-3.0-or-later
-- The job_state clients see; NULL when there is no such job.  One statement: one snapshot, so a job
-- on the move is seen at one of its places.
CREATE FUNCTION tfx.find_state(p_id uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
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
