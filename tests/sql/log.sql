-- SPDX-License-Identifier: GPL-3.0-or-later
-- Log fragments: kept byte for byte, once, in order.
\ir lib/begin.psql
SELECT pg_temp.spare('q') \g /dev/null
SELECT pg_temp.submit(n) FROM generate_series(1, 3) n \g /dev/null
SELECT pg_temp.claim('a', '{q}', 1) \g /dev/null
CREATE FUNCTION pg_temp.log(n int, p_phase text, p_number bigint, p_data bytea, p_type text DEFAULT 'output',
                            p_at timestamptz DEFAULT '2024-05-01T10:00:00Z', p_agent text DEFAULT 'a')
RETURNS void LANGUAGE sql AS
    $$ SELECT api.post_log(pg_temp.id(n), p_agent, NULL, p_type, p_phase, p_number, p_at, p_data) $$;
CREATE FUNCTION pg_temp.read(n int, p_phase text, p_from bigint DEFAULT NULL, p_time timestamptz DEFAULT NULL,
                             p_max int DEFAULT 1000000, p_type text DEFAULT 'output')
RETURNS text LANGUAGE sql AS $$
    SELECT encode(string_agg(data, ''), 'escape')
    FROM api.read_log(pg_temp.id(n), p_type, p_phase, p_from, p_time, NULL, NULL, p_max)
$$;

SELECT is_empty($$ SELECT * FROM api.list_log_phases(pg_temp.id(1), 'output') $$, 'nothing was logged yet');
SELECT is_empty($$ SELECT * FROM api.read_log(pg_temp.id(1), 'output', 'setup', NULL, NULL, NULL, NULL, 9) $$,
    'nothing to read');
SELECT pg_temp.log(1, 'setup', 0, '\x00ff'), pg_temp.log(1, 'setup', 2, 'c', p_at => '2024-05-01T10:00:02Z'),
    pg_temp.log(1, 'setup', 1, 'b', p_at => '2024-05-01T10:00:01Z'), pg_temp.log(1, 'test', 3, '');
SELECT is(pg_temp.read(1, 'setup'), '\000\377bc', 'fragments are joined by number, byte for byte');
SELECT results_eq($$ SELECT phase, last_number FROM api.list_log_phases(pg_temp.id(1), 'output') $$,
    $$ VALUES ('setup', 2::bigint), ('test', 3) $$, 'each phase has its last number');
SELECT is((SELECT logs::jsonb FROM api.read_result(pg_temp.id(1), NULL, NULL)), '[["output", "setup", 2], ["output", "test", 3]]',
    'which the result tells too');
SELECT pg_temp.log(1, 'setup', 2, 'c');
SELECT is(pg_temp.read(1, 'setup'), '\000\377bc', 'the same fragment again is stored once');
SELECT pg_temp.log(1, 'setup', 2, 'd'), pg_temp.log(1, 'setup', 2, 'a');
SELECT is(pg_temp.read(1, 'setup'), '\000\377bcda', 'other bytes under its number come after it');
-- long fragments, of characters that take 1 to 4 bytes, are stored in parts
CREATE FUNCTION pg_temp.long(n int) RETURNS bytea LANGUAGE sql AS
    $$ SELECT convert_to(repeat(U&'a\00e9\20ac\+01F600', n), 'UTF8') $$;
SELECT pg_temp.log(1, 'reserve', 0, pg_temp.long(30000)), pg_temp.log(1, 'reserve', 1, repeat('x', 200000)::bytea);
SELECT ok((SELECT max(octet_length(data)) <= 65536 AND count(*) > 8 FROM tf.log WHERE phase = 'reserve'),
    'a long fragment is cut into parts');
SELECT lives_ok($$ SELECT convert_from(data, 'UTF8') FROM tf.log WHERE phase = 'reserve' $$, 'at characters');
SELECT ok((SELECT string_agg(data, '') = pg_temp.long(30000) || repeat('x', 200000)::bytea
           FROM api.read_log(pg_temp.id(1), 'output', 'reserve', NULL, NULL, NULL, NULL, 10000000)),
    'and comes back whole, also when its parts are equal');
SELECT pg_temp.log(1, 'reserve', 0, pg_temp.long(30000)), pg_temp.log(1, 'reserve', 1, repeat('x', 200000)::bytea);
SELECT is((SELECT sum(octet_length(data)) FROM tf.log WHERE phase = 'reserve'), 500000::bigint,
    'and again is stored once, too');

SELECT pg_temp.log(1, 'cleanup', -1, 'neg'), pg_temp.log(1, 'cleanup', 9223372036854775807, 'max');
SELECT is(pg_temp.read(1, 'cleanup'), 'max', 'negative numbers are stored but not read');
SELECT is(pg_temp.read(1, 'setup', 2), 'cda', 'from a number');
SELECT is(pg_temp.read(1, 'setup', 99), NULL, 'from behind the end');
SELECT is(pg_temp.read(1, 'setup', NULL, '2024-05-01T12:00:01+02:00'), 'bc', 'from a time');
SELECT is(pg_temp.read(1, 'setup', 2, '2024-05-01T10:00:01Z'), 'c', 'from both');
SELECT pg_temp.log(1, 'setup', 0, 's', 'serial');
SELECT is(pg_temp.read(1, 'setup', p_type => 'serial'), 's', 'serial is a log of its own');
SELECT results_eq($$ SELECT number, data FROM api.read_log(pg_temp.id(1), 'output', 'setup', NULL, NULL, NULL, NULL, 1) $$,
    $$ VALUES (0::bigint, '\x00ff'::bytea) $$, 'at least one fragment, however large');
SELECT is((SELECT count(*) FROM api.read_log(pg_temp.id(1), 'output', 'setup', NULL, NULL, NULL, NULL, 40)), 2::bigint,
    'and no more than asked for is passed');
SELECT is((SELECT string_agg(encode(n.data, 'escape'), '') FROM (
    SELECT number, seq FROM api.read_log(pg_temp.id(1), 'output', 'setup', NULL, NULL, NULL, NULL, 200)
    OFFSET 2 LIMIT 1) c CROSS JOIN LATERAL api.read_log(pg_temp.id(1), 'output', 'setup', NULL, NULL,
    c.number, c.seq, 1000) n), 'da', 'reading goes on behind a fragment');

SELECT lives_ok($$ SELECT pg_temp.log(99, 'setup', 0, 'u') $$, 'an unknown job may log');
SELECT is(pg_temp.read(99, 'setup'), 'u', 'and is read');
SELECT lives_ok($$ SELECT pg_temp.log(2, 'setup', 0, 'w') $$, 'so may a waiting one');
SELECT is(pg_temp.read(2, 'setup'), 'w', 'and is read');
SELECT throws_ok($$ SELECT api.post_log(pg_temp.id(1), 'a', 'stale', 'output', 'setup', 0, now(), 'x') $$,
    'TF409', NULL, 'a stale token');
SELECT throws_ok($$ SELECT pg_temp.log(1, 'dancing', 0, 'x') $$, '22P02', NULL, 'phases are a closed set');
SELECT throws_ok($$ SELECT pg_temp.log(1, 'test', 0, 'x', 'input') $$, '22P02', NULL, 'and so are types');

SELECT is((SELECT logs FROM api.read_result(pg_temp.id(3), NULL, NULL)), NULL, 'a result without logs says nothing');

-- a second attempt goes on with the numbers
SELECT pg_temp.age(1, '1 h') \g /dev/null
SELECT tfx.reap_leases(9) \g /dev/null
DELETE FROM tf.log WHERE number > 1000;
SELECT is(pg_temp.claim('b', '{q}', 2), 1, 'another attempt');
SELECT is(pg_temp.read(1, 'setup'), NULL, 'has a log of its own');
SELECT pg_temp.log(1, 'setup', 0, 'new', p_agent => 'b');
SELECT results_eq($$ SELECT phase, last_number, attempt FROM api.list_log_phases(pg_temp.id(1), 'output') $$,
    $$ VALUES ('setup', 4::bigint, 2) $$, 'whose numbers go on where the last one stopped');
SELECT is((SELECT bool_and(attempt = 1 AND last_number < 4) FROM api.list_log_phases(pg_temp.id(1), 'output', 1)),
    true, 'an earlier attempt has its own');
SELECT is_empty($$ SELECT * FROM api.list_log_phases(pg_temp.id(1), 'output', 7) $$, 'one there never was has none');
SELECT is(pg_temp.read(1, 'setup', 4), 'new', 'so that who follows misses nothing');
SELECT pg_temp.log(1, 'setup', 7, 'late', p_agent => 'a');
SELECT is(pg_temp.read(1, 'setup'), 'new', 'what the lost agent says goes to its own attempt');

-- many at once
SELECT pg_temp.submit(n) FROM generate_series(4, 7) n \g /dev/null
SELECT pg_temp.claim('c' || n, '{q}', n + 3) FROM generate_series(1, 5) n \g /dev/null
CREATE TEMP TABLE many AS SELECT n, agent, token, number, data,
    1 + sum(length(data)) OVER (ORDER BY o) - length(data) AS start, o
FROM (VALUES (1, 1, 'b', NULL, 1, 'ab'), (2, 99, 'a', NULL, 5, 'cde'), (3, 4, 'c3', NULL, 7, ''),
    (4, 4, 'nobody', NULL, 8, 'no'), (5, 4, 'c3', NULL, 7, 'fg'), (6, 4, 'c3', NULL, 7, 'ee'),
    (7, 4, 'c3', NULL, 7, 'fg'), (8, 5, NULL, NULL, 1, 'x'), (9, 6, 'c9', pg_temp.id(908)::text, 2, 'h'),
    (10, 6, 'c4', pg_temp.id(999)::text, 3, 'i'), (11, 4, 'c3', NULL, -1, 'j'),
    (12, 4, 'c3', NULL, 9223372036854775807, 'k')) v(o, n, agent, token, number, data);
CREATE FUNCTION pg_temp.post_many() RETURNS SETOF int LANGUAGE sql AS $$
    SELECT request + 1 FROM (
        SELECT array_agg(pg_temp.id(n) ORDER BY o) AS ids, array_agg(agent ORDER BY o) AS agents,
               array_agg(token ORDER BY o) AS tokens, array_fill('output'::text, '{12}') AS types,
               array_fill('allocate'::text, '{12}') AS phases, array_agg(number ORDER BY o) AS numbers,
               array_fill(now(), '{12}') AS ats, array_agg(start::int ORDER BY o) AS starts,
               array_agg(length(data) ORDER BY o) AS lengths,
               convert_to(string_agg(data, '' ORDER BY o), 'UTF8') AS data FROM many) a
    CROSS JOIN LATERAL api.post_logs(ids, agents, tokens, types, phases, numbers, ats, starts, lengths, data)
$$;
UPDATE tf.lease SET confirmed = NULL;
SELECT set_eq('SELECT pg_temp.post_many()', '{2, 4, 8, 10}'::int[],
    'those that are not of a running job''s agent or token are left to be posted alone');
SELECT results_eq($$ SELECT pg_temp.read(n, 'allocate') FROM (VALUES (1), (4), (5), (6), (99)) v(n) $$,
    $$ VALUES ('ab'), ('fgeek'), (NULL), ('h'), (NULL) $$, 'the others are kept in their order, each once');
SELECT is((SELECT number FROM tf.log WHERE data = 'ab'), 5::bigint, 'behind those of an earlier attempt');
SELECT is((SELECT count(*) FROM tf.log WHERE number = -1 AND data = 'j'), 1::bigint, 'whatever their number');
SELECT is((SELECT version FROM tf.attempt WHERE job_id = pg_temp.id(4)), 5::bigint, 'every change counts');
SELECT results_eq($$ SELECT right(job_id::text, 1)::int, confirmed = now(), lease_until > now() + interval '100 s'
    FROM tf.lease WHERE job_id <= pg_temp.id(6) AND job_id <> pg_temp.id(2) AND job_id <> pg_temp.id(3) ORDER BY 1 $$,
    $$ VALUES (1, true, true), (4, true, true), (5, NULL, false), (6, true, true) $$,
    'they are signs of life for the leases of those who posted');
SELECT set_eq('SELECT pg_temp.post_many()', '{2, 4, 8, 10}'::int[], 'all that once more');
SELECT results_eq($$ SELECT pg_temp.read(n, 'allocate') FROM (VALUES (1), (4), (6)) v(n) $$,
    $$ VALUES ('ab'), ('fgeek'), ('h') $$, 'changes nothing');
SELECT is((SELECT version FROM tf.attempt WHERE job_id = pg_temp.id(4)), 5::bigint, 'nor counts');
\ir lib/end.psql
