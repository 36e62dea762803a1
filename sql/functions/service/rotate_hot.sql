-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes anew that of the hot tables which has the most dead rows, p_dead at least, if somebody holds an
-- old snapshot, so that VACUUM cannot help.  One of them in a transaction: nobody who locks two of them
-- in another order is met.  Where sessions of others cannot be seen, ten times as many dead rows say the same.
-- Rows as in api.run_task(): what was done, and, if it is held for five times as long, a warning that says who
-- it is, every ten minutes at most.
CREATE FUNCTION tfx.rotate_hot(p_dead bigint, p_held_s int, p_patience interval)
RETURNS TABLE (what text, count bigint, kind text, name text)
LANGUAGE plpgsql AS $$
DECLARE
    v_sees boolean := pg_has_role('pg_read_all_stats', 'USAGE');
    v_least bigint := CASE WHEN tfx.find_holder(p_held_s) IS NOT NULL THEN p_dead
                           WHEN NOT v_sees THEN 10 * p_dead END;
    v_who text := coalesce(tfx.find_holder(5 * p_held_s),
                           CASE WHEN NOT v_sees THEN 'by whom is not to be seen' END);
    v_table record;
    v_done boolean := false;
BEGIN
    FOR v_table IN
        SELECT c.oid::regclass AS name, d.dead
        FROM unnest('{tf.hold,tf.wait,tf.lease,tf.queue_count}'::regclass[]) c(oid)
        CROSS JOIN LATERAL pg_stat_get_dead_tuples(c.oid) d(dead)
        WHERE d.dead >= v_least
        ORDER BY d.dead DESC
    LOOP
        EXECUTE format('SELECT tfx.rewrite_table($1, $2, NULL::%s[])', v_table.name) INTO v_done
        USING v_table.name, p_patience;
        EXIT WHEN v_done;
    END LOOP;
    IF v_done THEN
        PERFORM pg_stat_force_next_flush(); -- or the next run would do it again
        RETURN QUERY VALUES ('rotate_hot', 1::bigint, NULL, NULL), ('more', 1, NULL, NULL);
    END IF;
    IF v_table.name IS NOT NULL AND v_who IS NOT NULL THEN
        UPDATE tf.task t SET warned_at = clock_timestamp()
        WHERE t.name = 'rotate_hot' AND (t.warned_at BETWEEN now() - interval '10 min' AND now()) IS NOT TRUE;
        RETURN QUERY SELECT 'rotate_hot', 1::bigint, 'warning', format(
            'dead rows pile up in %s, since an old snapshot is held: %s', v_table.name, v_who) WHERE FOUND;
    END IF;
END
$$;
