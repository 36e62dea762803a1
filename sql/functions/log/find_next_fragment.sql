-- SPDX-License-Identifier: GPL-3.0-or-later
-- The number after the last log fragment of a job's attempts so far: the next attempt goes on there,
-- because clients that follow a log ask for what comes after the number they know.
CREATE FUNCTION tfx.find_next_fragment(p_id uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_next bigint;
BEGIN
    SELECT coalesce(max(l.number) + 1, 0) INTO v_next
    FROM tf.attempt a
    JOIN tf.log l ON l.week = a.week AND l.job_id = p_id AND l.attempt = a.attempt
    WHERE a.job_id = p_id AND l.number BETWEEN 0 AND 1000000000000;
    RETURN v_next;
END
$$;
