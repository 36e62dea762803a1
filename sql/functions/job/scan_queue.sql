-- SPDX-License-Identifier: GPL-3.0-or-later
-- The numbers of the jobs of a queue; see tfx.scan_jobs().
CREATE FUNCTION tfx.scan_queue(p_queue text, p_after bigint, p_before bigint, p_down boolean,
                               p_count int) RETURNS bigint[]
LANGUAGE plpgsql AS $$
BEGIN
    IF p_down THEN
        RETURN ARRAY(SELECT j.seq FROM tf.job j
                     WHERE j.queue = p_queue COLLATE "C" AND j.seq > p_after AND j.seq < p_before
                     ORDER BY j.queue DESC, j.seq DESC LIMIT p_count);
    END IF;
    RETURN ARRAY(SELECT j.seq FROM tf.job j
                 WHERE j.queue = p_queue COLLATE "C" AND j.seq > p_after AND j.seq < p_before
                 ORDER BY j.queue, j.seq LIMIT p_count);
END
$$;
