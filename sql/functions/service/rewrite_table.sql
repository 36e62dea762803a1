-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a small table anew without its dead rows, by TRUNCATE: the only cleanup that works while
-- somebody holds an old snapshot, which VACUUM must respect.  p_rows: NULL, of the table's row type.
-- false, and nothing was done: it has more than 20,000 rows, somebody uses it in a long transaction, or
-- others did not let go of it within p_patience; whoever comes then waits behind us for as long.
-- Snapshots from before see the table empty from now on, but no statement of ours has one: each locks
-- the tables it reads first, then looks.
CREATE FUNCTION tfx.rewrite_table(p_table regclass, p_patience interval, p_rows anyarray)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
               WHERE l.relation = p_table AND l.granted AND l.pid <> pg_backend_pid()
                   AND a.xact_start < clock_timestamp() - interval '1 s') THEN
        RETURN false;
    END IF;
    PERFORM set_config('lock_timeout', format('%sms', extract(epoch FROM p_patience)::numeric * 1000), true);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', p_table);
    EXECUTE format('SELECT ARRAY(SELECT t FROM %s t ORDER BY t LIMIT 20001)', p_table) INTO p_rows;
    IF cardinality(p_rows) > 20000 THEN
        RAISE lock_not_available; -- gives back the lock, too
    END IF;
    EXECUTE format('TRUNCATE %s', p_table);
    EXECUTE format('INSERT INTO %s SELECT * FROM unnest($1)', p_table) USING p_rows;
    RETURN true;
EXCEPTION
    WHEN lock_not_available THEN RETURN false;
END
$$;
