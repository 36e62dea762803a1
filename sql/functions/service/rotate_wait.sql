-- SPDX-License-Identifier: GPL-3.0-or-later
-- Rewrites tf.wait without its dead rows: the only cleanup that works while somebody holds an old
-- snapshot, which VACUUM must respect.  Only for up to 20,000 rows, and only when nobody uses
-- the table at this moment.  Returns how many rows it kept; no row: it was not done.
CREATE FUNCTION api.rotate_wait() RETURNS TABLE (kept int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_rows tf.wait[];
BEGIN
    LOCK TABLE tf.wait IN ACCESS EXCLUSIVE MODE NOWAIT;
    v_rows := ARRAY(SELECT w FROM tf.wait w ORDER BY w.queue, w.nprio, w.seq LIMIT 20001);
    IF cardinality(v_rows) > 20000 THEN
        RETURN;
    END IF;
    TRUNCATE tf.wait;
    INSERT INTO tf.wait SELECT * FROM unnest(v_rows);
    RETURN QUERY SELECT cardinality(v_rows);
EXCEPTION
    WHEN lock_not_available THEN NULL;
END
$$;
