-- SPDX-License-Identifier: GPL-3.0-or-later
-- Rewrites tf.wait without its dead rows: the only cleanup that works while somebody holds an old
-- snapshot, which VACUUM must respect.  Only for up to 20,000 rows, and only when nobody uses
-- the table at this moment, and only from p_dead dead rows on, which VACUUM would not leave behind if
-- it could help.  Returns 1 if it was done, else 0.
CREATE FUNCTION tfx.rotate_wait(p_dead bigint) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_rows tf.wait[];
BEGIN
    IF pg_stat_get_dead_tuples('tf.wait'::regclass) < p_dead THEN
        RETURN 0;
    END IF;
    LOCK TABLE tf.wait IN ACCESS EXCLUSIVE MODE NOWAIT;
    v_rows := ARRAY(SELECT w FROM tf.wait w ORDER BY w.queue, w.nprio, w.seq LIMIT 20001);
    IF cardinality(v_rows) > 20000 THEN
        RETURN 0;
    END IF;
    TRUNCATE tf.wait;
    INSERT INTO tf.wait SELECT * FROM unnest(v_rows);
    RETURN 1;
EXCEPTION
    WHEN lock_not_available THEN RETURN 0;
END
$$;
