-- SPDX-License-Identifier: GPL-3.0-or-later
-- The leases that are kept although their time is over, at most p_limit; nothing if that was told
-- within the last minute.
CREATE FUNCTION tfx.tell_braked(p_limit int) RETURNS SETOF tf.lease
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM tf.reaper r
               WHERE r.alarmed_at BETWEEN now() - interval '1 min' AND now()) THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM tfx.find_dead_leases(true, p_limit);
    IF FOUND THEN
        UPDATE tf.reaper r SET alarmed_at = now();
    END IF;
END
$$;
