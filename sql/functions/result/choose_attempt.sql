-- SPDX-License-Identifier: GPL-3.0-or-later
-- The attempt a reader means: the one of that number, or the newest if p_attempt is NULL.  All NULL:
-- there is none.
CREATE FUNCTION tfx.choose_attempt(p_id uuid, p_attempt int) RETURNS tf.attempt
LANGUAGE plpgsql AS $$
DECLARE
    v_attempt tf.attempt;
BEGIN
    IF p_attempt IS NULL THEN
        SELECT * INTO v_attempt FROM tf.attempt a
        WHERE a.job_id = p_id ORDER BY a.attempt DESC LIMIT 1;
    ELSE
        SELECT * INTO v_attempt FROM tf.attempt a WHERE a.job_id = p_id AND a.attempt = p_attempt;
    END IF;
    RETURN v_attempt;
END
$$;
