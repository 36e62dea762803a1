-- SPDX-License-Identifier: GPL-3.0-or-later
-- The numbers (seq) of the unfinished jobs of a queue.
CREATE FUNCTION tfx.list_living(p_queue text) RETURNS bigint[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT w.seq FROM tf.wait w WHERE w.queue = p_queue
        UNION ALL SELECT h.seq FROM tf.hold h WHERE h.queue = p_queue
        UNION ALL SELECT l.seq FROM tf.lease l
                  WHERE l.queue = p_queue AND l.job_state <> 'cancelled');
END
$$;
