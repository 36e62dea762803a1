-- SPDX-License-Identifier: GPL-3.0-or-later
-- Empties every table but those that belong to the release, and keeps the system admin without its
-- tokens: for trying things out.  Takes exclusive locks on everything: in an order of its own, so whoever
-- is at work may wait for it while it waits for him.  Long before that counts as a deadlock (deadlock_timeout)
-- it lets go and tries again, and nobody at work fails.
CREATE FUNCTION tfx.reset_data() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_tables text;
BEGIN
    SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY c.relname)
    INTO v_tables
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'tf' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname NOT IN ('client', 'lease_rule', 'migration', 'phase_lease', 'reaper', 'schema_version', 'transition');
    PERFORM set_config('lock_timeout', '200ms', true);
    FOR v_try IN 1..50 LOOP
        BEGIN
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_tables);
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            RAISE DEBUG 'try % met somebody at work', v_try;
        END;
    END LOOP;
    PERFORM set_config('lock_timeout', '0', true);
    EXECUTE 'TRUNCATE ' || v_tables;
    DELETE FROM tf.client c WHERE c.client_id <> 'testflinger-admin';
END
$$;
