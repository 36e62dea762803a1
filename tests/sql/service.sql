-- SPDX-License-Identifier: GPL-3.0-or-later
-- The schema as such: version, words, rights, partitions, errors, and the rules every function keeps.
\ir lib/begin.psql
SELECT pg_temp.spare('q') \g /dev/null
SELECT results_eq('SELECT version, oldest_server FROM api.check_schema()', 'VALUES (1, 1)', 'the published version');
SELECT is(enum_range(NULL::tf.phase_name)::text,
    '{setup,provision,firmware_update,test,allocate,reserve,cleanup}', 'phases in the order they run');
SELECT is(enum_range(NULL::tf.role_name)::text, '{agent,contributor,manager,admin}', 'roles, lowest first');

-- rights
SELECT ok(pg_has_role('testflinger_owner', 'pg_read_all_stats', 'USAGE'), 'the owner can tell who holds a snapshot');
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
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p
    WHERE 'enable_seqscan=off' = ANY (p.proconfig) AND NOT 'jit=off' = ANY (p.proconfig) $$,
    'who forbids sequential scans forbids JIT: the price of what has no index would start the compiler');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'api' AND p.proargnames[1] IN ('p_id', 'p_file', 'p_sha256')
        AND NOT 'enable_seqscan=off' = ANY (p.proconfig) $$,
    'who looks for one thing forbids them: the functions it shares with others keep the plans it makes');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_type t ON t.oid = p.prorettype
    WHERE n.nspname = 'api' AND t.typrelid <> 0 $$, 'no api function returns the row of a table');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'tf' AND pg_get_userbyid(c.relowner) <> 'testflinger_owner' $$, 'one owner of all tables');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('api', 'tfx') AND pg_get_userbyid(p.proowner) <> 'testflinger_owner' $$, 'and functions');

-- partitions
SELECT is(tfx.make_partitions(4), 0, 'the coming partitions are there');
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

-- rewrite_table, rebuild_hot
SELECT pg_temp.submit(n) FROM generate_series(1, 9) n \g /dev/null
SELECT pg_temp.submit(10, '{"hold": true, "queue": "h"}'), pg_temp.submit(11, '{"hold": true, "queue": "i"}') \g /dev/null
SELECT tfx.ready_job(pg_temp.id(11)) \g /dev/null
INSERT INTO tf.file (week, id, job_id, attempt, kind, state)
    VALUES (tfx.find_week(now()), pg_temp.id(1), pg_temp.id(11), 0, 'attachments', 'complete');
SELECT pg_temp.claim('a', '{q}', n) FROM generate_series(1, 3) n \g /dev/null
UPDATE tf.agent SET queues = queues || '{r,s,t}' WHERE name = 'spare';
SELECT pg_temp.submit(n, jsonb_build_object('queue', q, 'retry', '{"max": 3, "on": ["setup"], "backoff": 600}'::jsonb - k)),
    pg_temp.claim('r', ARRAY[q], n, more), pg_temp.post(n, 'complete', 'r', '{"setup": 1}')
    FROM (VALUES (12, 'r', 'backoff', '{}'::jsonb), (13, 's', '', '{}'), (14, 't', 'backoff', '{"lease": 60, "boot": "1"}'))
        j(n, q, k, more) \g /dev/null
SELECT pg_temp.post(1, 'provision'), pg_temp.post(3, 'complete'), pg_temp.post(2, 'setup'), pg_temp.age(2, '1 h') \g /dev/null
SELECT tfx.reap_leases(9) \g /dev/null
CREATE FUNCTION pg_temp.places() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(v::text, ' ' ORDER BY v.seq) FROM (
        SELECT 'held' AS place, job_id, queue, nprio, seq, week, attempt, lost, exclude_agents,
               concat_ws(' ', why, abs(extract(epoch FROM not_before - now()) - 600) < 60) AS state FROM tf.hold
        UNION ALL SELECT 'waiting', job_id, queue, nprio, seq, week, attempt, lost, exclude_agents, 'waiting' FROM tf.wait
        UNION ALL SELECT 'running', job_id, queue, nprio, seq, week, attempt, lost, exclude_agents, job_state FROM tf.lease) v
$$;
SELECT pg_temp.places() AS before \gset
CREATE FUNCTION pg_temp.rewrite() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', tfx.rewrite_table('tf.hold', '1 s', NULL::tf.hold[]), tfx.rewrite_table('tf.wait', '1 s', NULL::tf.wait[]),
        tfx.rewrite_table('tf.lease', '1 s', NULL::tf.lease[]), tfx.rewrite_table('tf.queue_count', '1 s', NULL::tf.queue_count[]))
$$;
SELECT string_agg(v::text, ' ' ORDER BY label, series) AS counts FROM api.read_series() v WHERE series IN ('jobs', 'claimed') \gset
SELECT is(pg_temp.rewrite(), 't t t t', 'the hot tables are written anew');
SELECT is((SELECT string_agg(v::text, ' ' ORDER BY label, series) FROM api.read_series() v WHERE series IN ('jobs', 'claimed')),
    :'counts', 'nothing is counted twice');
SELECT is(pg_temp.places(), :'before', 'and nothing else has changed');
SELECT results_eq('SELECT held, waiting, running FROM tfx.rebuild_hot()', 'VALUES (0::bigint, 0::bigint, 0::bigint)',
    'nothing is missing');
TRUNCATE tf.hold, tf.wait, tf.lease;
SELECT results_eq('SELECT held, waiting, running FROM tfx.rebuild_hot()', 'VALUES (2::bigint, 10::bigint, 1::bigint)',
    'after a restore every living job gets a place');
SELECT is(pg_temp.places(), :'before', 'which is its old one');
INSERT INTO tf.wait (queue, nprio, seq, job_id, week)
    SELECT 'many', 0, n, pg_temp.id(n), '2024-01-01' FROM generate_series(1, 20000) n;
SELECT is(tfx.rewrite_table('tf.wait', '1 s', NULL::tf.wait[]), false, 'too many rows are left as they are');
SELECT is((SELECT count(*) FROM tf.wait WHERE queue = 'many'), 20000::bigint, 'all of them');

-- rotate_hot
DELETE FROM tf.wait WHERE queue = 'many';
INSERT INTO tf.task (name, last_run) VALUES ('rotate_hot', now());
SET LOCAL ROLE testflinger_owner;
SELECT is_empty($$ SELECT * FROM tfx.rotate_hot(0, 1000000, '1 s') $$, 'without an old snapshot there is nothing to do');
RESET ROLE;
REVOKE pg_read_all_stats FROM testflinger_owner;
SET LOCAL ROLE testflinger_owner;
SELECT results_eq($$ SELECT what, count, kind, regexp_replace(name,
        '^dead rows pile up in tf\.\w+, since an old snapshot is held: by whom is not to be seen$', 'it')
    FROM tfx.rotate_hot(0, 1000000, '1 s') $$,
    $$ VALUES ('rotate_hot', 1::bigint, NULL, NULL), ('more', 1, NULL, NULL), ('rotate_hot', 1, 'warning', 'it') $$,
    'who cannot see whether there is one goes by the dead rows alone');
SELECT is_empty($$ SELECT * FROM tfx.rotate_hot(1000000, 0, '1 s') $$, 'of which there have to be many');
RESET ROLE;

-- notify
SELECT lives_ok($$ SELECT api.notify('*') $$, 'servers are told');
SELECT is((SELECT array_agg(c) FROM pg_listening_channels() c), NULL, 'and who does not listen hears nothing');

-- reset_data
SELECT lives_ok('SELECT tfx.reset_data()', 'first of all');
SELECT tfx.add_client('testflinger-admin', '{"secret_hash": "h"}'), tfx.add_client('c', '{}');
SELECT pg_temp.submit(1), api.post_agent('a', '{}', NULL) \g /dev/null
SELECT lives_ok('SELECT tfx.reset_data()', 'everything is emptied');
SELECT is((SELECT count(*) FROM tf.job) + (SELECT count(*) FROM tf.wait) + (SELECT count(*) FROM tf.agent)
    + (SELECT count(*) FROM tf.definition), 0::bigint, 'jobs and agents have gone');
SELECT is((SELECT string_agg(client_id, ' ') FROM tf.client), 'testflinger-admin', 'the system admin stays');
SELECT is(pg_temp.submit(1), true, 'and work can begin');
\ir lib/end.psql
