-- SPDX-License-Identifier: GPL-3.0-or-later
-- JSON members that say when a job's turn is: how many are before it, and about how many seconds that
-- will take.  p_because: why it waits (NULL: it does not); an estimate is for those that wait for an agent
-- that is there.
CREATE FUNCTION tfx.render_position(p_queue text, p_nprio bigint, p_seq bigint, p_because text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_ahead bigint;
    v_seconds bigint;
BEGIN
    IF p_because IS NOT NULL THEN
        v_ahead := tfx.count_ahead(p_queue, p_nprio, p_seq);
    END IF;
    IF p_because IN ('busy', 'turn') THEN
        v_seconds := tfx.estimate_wait(p_queue, v_ahead);
    END IF;
    RETURN format('"position" : %s, "estimated_wait" : %s', coalesce(v_ahead::text, 'null'),
                  coalesce(v_seconds::text, 'null'));
END
$$;
