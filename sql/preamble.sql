-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes room for schemas api and tfx, which are rebuilt as a whole in one transaction.  Functions
-- are dropped one by one without CASCADE: a view or a trigger of somebody else that uses one
-- makes the installation fail here, with its name, instead of disappearing.
SET LOCAL ROLE testflinger_owner;
SET LOCAL lock_timeout = '10s';
SET LOCAL check_function_bodies = on;

DO $$
DECLARE
    v_drop text;
BEGIN
    FOR v_drop IN
        SELECT format('DROP FUNCTION %s', p.oid::regprocedure)
        FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('api', 'tfx')
        ORDER BY n.nspname, p.oid
    LOOP
        EXECUTE v_drop;
    END LOOP;
END
$$;
DROP SCHEMA IF EXISTS api;
DROP SCHEMA IF EXISTS tfx;
CREATE SCHEMA api;
CREATE SCHEMA tfx;
