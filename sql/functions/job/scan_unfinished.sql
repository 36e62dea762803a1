-- SPDX-License-Identifier: GPL-3.0-or-later
-- The numbers of the unfinished jobs of all queues; see tfx.scan_jobs().
CREATE FUNCTION tfx.scan_unfinished(p_after bigint, p_before bigint, p_down boolean, p_count int)
RETURNS bigint[]
LANGUAGE plpgsql AS $$
BEGIN
    IF p_down THEN
        RETURN ARRAY(SELECT j.seq FROM tf.job j
                     WHERE j.final_state IS NULL AND j.seq > p_after AND j.seq < p_before
                     ORDER BY j.seq DESC LIMIT p_count);
    END IF;
    RETURN ARRAY(SELECT j.seq FROM tf.job j
                 WHERE j.final_state IS NULL AND j.seq > p_after AND j.seq < p_before
                 ORDER BY j.seq LIMIT p_count);
END
$$;
