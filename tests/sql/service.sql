-- SPDX-License-Identifier: GPL-3.0-or-later
-- The schema as such: version, words, rights, partitions, errors, and the rules every function keeps.
\ir lib/begin.psql
SELECT results_eq('SELECT version, oldest_server FROM api.check_schema()', 'VALUES (1, 1)', 'the published version');
SELECT is(enum_range(NULL::tf.phase_name)::text,
    '{setup,provision,firmware_update,test,allocate,reserve,cleanup}', 'phases in the order they run');
SELECT is(enum_range(NULL::tf.role_name)::text, '{agent,contributor,manager,admin}', 'roles, lowest first');

-- rights
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'tf' AND c.relkind IN ('r', 'p', 'S')
        AND (c.relkind <> 'S' AND has_table_privilege('testflinger_server', c.oid,
             'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
         OR c.relkind = 'S' AND has_sequence_privilege('testflinger_server', c.oid, 'USAGE, SELECT, UPDATE')) $$,
    'the server has no right on any table or sequence');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('api', 'tfx')
        AND has_function_privilege('testflinger_server', p.oid, 'EXECUTE') <> (n.nspname = 'api') $$,
    'it may execute all of api and nothing of tfx');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'api' AND (NOT p.prosecdef OR p.provolatile <> 'v' OR p.proconfig IS NULL
        OR NOT 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig)) $$,
    'api functions run as their owner, with a fixed search path, and are volatile');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_type t ON t.oid = p.prorettype
    WHERE n.nspname = 'api' AND t.typrelid <> 0 $$, 'no api function returns the row of a table');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'tf' AND pg_get_userbyid(c.relowner) <> 'testflinger_owner' $$, 'one owner of all tables');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('api', 'tfx') AND pg_get_userbyid(p.proowner) <> 'testflinger_owner' $$, 'and functions');

-- partitions
SELECT is((SELECT created FROM api.make_partitions()), 0, 'the coming partitions are there');
SELECT is((SELECT count(*) FROM pg_inherits WHERE inhparent = 'tf.log'::regclass), 7::bigint,
    'last week, this one, four more and the default');
SELECT tfx.find_week(now()) + 35 AS far \gset
INSERT INTO tf.definition (week, job_id, body) VALUES (:'far', pg_temp.id(1), '{}');
SELECT is((SELECT count(*) FROM tf.definition_default), 1::bigint, 'the default catches what has no week');
SELECT is(tfx.make_partitions(5), 5, 'when its week is made');
SELECT is((SELECT tableoid::regclass::text FROM tf.definition), 'tf.definition_' || to_char(:'far'::date, 'YYYYMMDD'),
    'it moves there');
SELECT is(tfx.find_week('2024-01-07 23:59:59.999+00'), '2024-01-01', 'a week ends on Sunday night, UTC');
SELECT is(tfx.find_week('2024-01-08 00:00:00+00'), '2024-01-08', 'and begins on Monday');

-- texts
SELECT is(tfx.format_seconds('2024-01-02 04:04:05.9+01'), '2024-01-02T03:04:05Z', 'seconds');
SELECT is(tfx.format_micros('2024-01-02 04:04:05.9+01'), '2024-01-02T03:04:05.900000+00:00', 'microseconds');

-- reset_data
SELECT tfx.add_client('testflinger-admin', '{"secret_hash": "h"}'), tfx.add_client('c', '{}');
SELECT pg_temp.submit(1), api.post_agent('a', '{}', NULL) \g /dev/null
SELECT lives_ok('SELECT tfx.reset_data()', 'everything is emptied');
SELECT is((SELECT count(*) FROM tf.job) + (SELECT count(*) FROM tf.wait) + (SELECT count(*) FROM tf.agent)
    + (SELECT count(*) FROM tf.definition), 0::bigint, 'jobs and agents have gone');
SELECT is((SELECT string_agg(client_id, ' ') FROM tf.client), 'testflinger-admin', 'the system admin stays');
SELECT is(pg_temp.submit(1), true, 'and work can begin');
\ir lib/end.psql
