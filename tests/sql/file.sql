-- SPDX-License-Identifier: GPL-3.0-or-later
-- Uploads in pieces: attachments and artifacts.
\ir lib/begin.psql
SELECT pg_temp.submit(1, '{"hold": true}'), pg_temp.submit(2) \g /dev/null
CREATE FUNCTION pg_temp.open(n int, p_kind text, p_agent text DEFAULT 'a') RETURNS uuid LANGUAGE sql AS
    $$ SELECT file_id::uuid FROM api.open_file(pg_temp.id(n), p_kind, p_agent, NULL) $$;
CREATE FUNCTION pg_temp.finish(p_file uuid, p_size bigint) RETURNS void LANGUAGE sql AS
    $$ SELECT api.finish_file(p_file, p_size, '\xab') $$;

-- ids
SELECT is(tfx.find_file_week(tfx.new_file_id(w)), w, 'the id of a file names its week, ' || w)
FROM (VALUES ('2024-01-01'::date), ('2026-11-16'), ('1970-01-05')) v(w);
SELECT matches(tfx.new_file_id('2024-01-01')::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
    'and is a UUID of version 7');

-- attachments
SELECT throws_ok($$ SELECT pg_temp.open(99, 'attachments') $$, 'TF422', NULL, 'no attachments for an unknown job');
SELECT throws_ok($$ SELECT pg_temp.open(2, 'attachments') $$, 'TF422', NULL, 'nor for one that awaits none');
SELECT is_empty($$ SELECT * FROM api.get_file(pg_temp.id(1), 'attachments') $$, 'nothing was received');
SELECT pg_temp.open(1, 'attachments') AS one, pg_temp.open(1, 'attachments') AS two \gset
SELECT lives_ok(format('SELECT api.write_chunk(%L, 0, %L)', :'one', '\x0102'::bytea), 'a piece');
SELECT lives_ok(format('SELECT api.write_chunk(%L, 0, %L)', :'one', '\x0001'::bytea), 'the same piece again replaces it');
SELECT lives_ok(format('SELECT api.write_chunk(%L, 1, %L)', :'one', '\xff'::bytea), 'the next');
SELECT throws_ok(format('SELECT api.write_chunk(%L, 2, repeat(%L, 262145)::bytea)', :'one', 'x'), 'TF413', NULL,
    'a piece has a limit');
SELECT throws_ok($$ SELECT api.write_chunk(pg_temp.id(1), 0, 'x') $$, 'TF404', NULL, 'no piece without an upload');
SELECT is_empty($$ SELECT * FROM api.get_file(pg_temp.id(1), 'attachments') $$, 'an upload is invisible until it ends');
SELECT throws_ok(format('SELECT pg_temp.finish(%L, 4)', :'one'), 'TF409', NULL, 'all pieces must be there');
SELECT throws_ok($$ SELECT pg_temp.finish(pg_temp.id(1), 0) $$, 'TF404', NULL, 'no end without an upload');
SELECT lives_ok(format('SELECT pg_temp.finish(%L, 3)', :'one'), 'the end');
SELECT lives_ok(format('SELECT pg_temp.finish(%L, 3)', :'one'), 'which may be repeated');
SELECT results_eq($$ SELECT file_id::uuid, size, sha256, chunks FROM api.get_file(pg_temp.id(1), 'attachments') $$,
    format($$ VALUES (%L::uuid, 3::bigint, 'ab', 2) $$, :'one'), 'the file is there');
SELECT is((SELECT data FROM api.read_chunk(:'one', 0)), '\x0001'::bytea, 'and is read piece by piece');
SELECT is((SELECT data FROM api.read_chunk(:'one', 1)), '\xff'::bytea, 'to its last');
SELECT is_empty(format('SELECT * FROM api.read_chunk(%L, 2)', :'one'), 'behind which there is nothing');
SELECT lives_ok(format('SELECT pg_temp.finish(%L, 0)', :'two'), 'a second upload at the same time ends well');
SELECT is((SELECT file_id::uuid FROM api.get_file(pg_temp.id(1), 'attachments')), :'one'::uuid, 'and is dropped');
SELECT is(pg_temp.open(1, 'attachments'), NULL, 'a third is told that they are there');
SELECT is(pg_temp.claim('a', '{q}', 1), 1, 'the job can be claimed now');
SELECT throws_ok($$ SELECT pg_temp.open(1, 'attachments') $$, 'TF422', NULL, 'after the start they are refused');
SELECT is((SELECT count(*) FROM api.get_file(pg_temp.id(1), 'attachments', 'b')), 1::bigint, 'but still read');
SELECT is((SELECT confirmed FROM tf.lease), NULL, 'which says nothing about an agent that did not');
SELECT is((SELECT count(*) FROM api.get_file(pg_temp.id(1), 'attachments', 'a')), 1::bigint, 'or');
SELECT results_eq('SELECT confirmed, lease_until FROM tf.lease', $$ SELECT now(), now() + interval '30 min' $$,
    'by the agent that claimed the job, which has time for it');

-- artifacts
SELECT is_empty($$ SELECT * FROM api.get_file(pg_temp.id(1), 'artifact') $$, 'no artifact yet');
SELECT pg_temp.open(1, 'artifact') AS three \gset
SELECT api.write_chunk(:'three', 0, 'old');
SELECT pg_temp.finish(:'three', 3);
SELECT is((SELECT size FROM api.get_file(pg_temp.id(1), 'artifact')), 3::bigint, 'an artifact');
SELECT pg_temp.open(1, 'artifact') AS four \gset
SELECT api.write_chunk(:'four', 0, 'newer');
SELECT is((SELECT size FROM api.get_file(pg_temp.id(1), 'artifact')), 3::bigint, 'while a later one arrives');
SELECT pg_temp.finish(:'four', 5);
SELECT is((SELECT size FROM api.get_file(pg_temp.id(1), 'artifact')), 5::bigint, 'which takes its place');
SELECT is((SELECT data FROM api.read_chunk(:'three', 0)), 'old'::bytea, 'who still reads the old one can');
SELECT pg_temp.open(99, 'artifact') AS five \gset
SELECT pg_temp.finish(:'five', 0);
SELECT is((SELECT chunks FROM api.get_file(pg_temp.id(99), 'artifact')), 0, 'an unknown job may have an empty one');
SELECT throws_ok($$ SELECT api.open_file(pg_temp.id(1), 'artifact', 'a', 'stale') $$, 'TF409', NULL, 'a stale token');

-- abandon_file, sweep_files
SELECT pg_temp.open(1, 'artifact') AS six \gset
SELECT api.write_chunk(:'six', 0, 'x');
SELECT lives_ok(format('SELECT api.abandon_file(%L)', :'six'), 'an upload is given up');
SELECT is((SELECT count(*) FROM tf.chunk WHERE file_id = :'six'), 0::bigint, 'and leaves nothing');
SELECT lives_ok(format('SELECT api.abandon_file(%L)', :'four'), 'a finished one is not');
SELECT is((SELECT size FROM api.get_file(pg_temp.id(1), 'artifact')), 5::bigint, 'touched by it');
SELECT is(tfx.sweep_files(10), 0, 'nothing to sweep yet');
UPDATE tf.file SET ended_at = ended_at - interval '2 h';
SELECT pg_temp.open(2, 'artifact') AS seven \gset
UPDATE tf.file SET created_at = now() - interval '2 days' WHERE id = :'seven';
SELECT is(tfx.sweep_files(2), 2, 'old uploads and replaced files go, so many at a time');
SELECT is(tfx.sweep_files(2), 1, 'until none is left');
SELECT is((SELECT count(*) FROM tf.file WHERE state = 'complete'), 3::bigint, 'the others stay');
\ir lib/end.psql
