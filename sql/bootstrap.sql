-- SPDX-License-Identifier: GPL-3.0-or-later
-- What must be there before the first migration: the two group roles, the schema of the tables and
-- the record of what was applied.  Runs before every migration, so every statement may be repeated.
--   testflinger_owner   owns every object; migrations and installations run under it; sees the sessions
--                       of others
--   testflinger_server  may execute the functions of schema api and nothing else
-- Nobody logs in as either: login roles are made members of them.

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['testflinger_owner', 'testflinger_server'] LOOP
        -- Looked for first: who may not make roles can still install where they are.
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles r WHERE r.rolname = v_role);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
        EXCEPTION
            -- Roles belong to the cluster: another database is being made at this moment.
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    IF NOT pg_has_role(current_user, 'testflinger_owner', 'MEMBER') THEN
        EXECUTE format('GRANT testflinger_owner TO %I', current_user);
    END IF;
    -- To name whoever holds an old snapshot.  Who may not grant that does without.
    IF NOT pg_has_role('testflinger_owner', 'pg_read_all_stats', 'MEMBER') THEN
        BEGIN
            GRANT pg_read_all_stats TO testflinger_owner;
        EXCEPTION
            WHEN insufficient_privilege OR unique_violation THEN NULL;
        END;
    END IF;
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO testflinger_owner', current_database());
    IF to_regnamespace('tf') IS NULL THEN
        CREATE SCHEMA tf AUTHORIZATION testflinger_owner;
    END IF;
    IF to_regclass('tf.migration') IS NULL THEN
        CREATE TABLE tf.migration (
            version    int PRIMARY KEY,
            name       text NOT NULL,
            sha256     text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
        ALTER TABLE tf.migration OWNER TO testflinger_owner;
    END IF;
END
$$;
