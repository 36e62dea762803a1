-- SPDX-License-Identifier: GPL-3.0-or-later
-- Deletes the row of tf.hold, tf.wait or tf.lease that tfx.lock_job() has locked.
CREATE FUNCTION tfx.drop_place(p_state text, p_row tf.lease) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_state = 'held' THEN
        DELETE FROM tf.hold WHERE job_id = p_row.job_id;
    ELSIF p_state = 'waiting' THEN
        DELETE FROM tf.wait
        WHERE queue = p_row.queue AND nprio = p_row.nprio AND seq = p_row.seq;
    ELSE
        DELETE FROM tf.lease WHERE job_id = p_row.job_id;
    END IF;
END
$$;
