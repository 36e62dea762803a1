-- SPDX-License-Identifier: GPL-3.0-or-later
-- Periodic work: when it is due, and what it does.
\ir lib/begin.psql
CREATE FUNCTION pg_temp.run(p_task text, p_every_ms int DEFAULT 0) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(what || ' ' || count, ', ' ORDER BY what <> 'run', what)
       FROM api.run_task(p_task, p_every_ms) WHERE kind IS NULL $$;
CREATE FUNCTION pg_temp.concerned(p_task text) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(kind || ' ' || CASE kind WHEN 'job' THEN right(name, 3) ELSE name END, ', ' ORDER BY kind, name)
       FROM api.run_task(p_task, 0) $$;
CREATE FUNCTION pg_temp.set_last_run(p_at interval) RETURNS void LANGUAGE sql AS
    $$ UPDATE tf.task SET last_run = clock_timestamp() + p_at $$;

-- when
SELECT throws_ok($$ SELECT * FROM api.run_task('dance', 0) $$, 'TF404', NULL, 'an unknown task');
SELECT is(pg_temp.run('purge_secrets', 10000), 'run 1', 'a task that was never done is due');
SELECT is(pg_temp.run('purge_secrets', 10000), NULL, 'then not for its period');
SELECT is(pg_temp.run('sweep_files', 10000), 'run 1', 'another one is');
SELECT pg_temp.set_last_run('-5 s') \g /dev/null
SELECT is(pg_temp.run('purge_secrets', 10000), NULL, 'not at half time');
SELECT pg_temp.set_last_run('-9.5 s') \g /dev/null
SELECT is(pg_temp.run('purge_secrets', 10000), 'run 1', 'a little early will do');
SELECT pg_temp.set_last_run('1 h') \g /dev/null
SELECT is(pg_temp.run('purge_secrets', 10000), 'run 1', 'a last run in the future is none');
SELECT ok((SELECT last_run <= clock_timestamp() FROM tf.task WHERE name = 'purge_secrets'), 'and is forgotten');

-- what
SELECT is(pg_temp.run('make_partitions'), 'run 1', 'the partitions are there');
SELECT is(pg_temp.run('rotate_hot'), 'run 1', 'nothing to tidy up');
SELECT pg_temp.submit(1) \g /dev/null
SELECT is(pg_temp.claim('a', '{q}', 1), 1, 'a claim');
SELECT is(pg_temp.run('reap_leases'), 'run 1', 'that lives');
SELECT pg_temp.age(1, '2 min') \g /dev/null
SELECT is(pg_temp.run('reap_leases'), 'run 1, undelivered 1', 'and ends');
SELECT tfx.add_client('c', '{}'), api.add_refresh_token('c', '\x01', 100), api.add_refresh_token('c', '\x02', 100),
    api.add_refresh_token('c', '\x03', 100) \g /dev/null
UPDATE tf.refresh_token SET last_used = now() - interval '91 days' WHERE sha256 < '\x03';
SELECT is(tfx.purge_refresh_tokens(1), 1, 'no more tokens than asked for at a time');
SELECT is(pg_temp.run('purge_refresh_tokens'), 'run 1, purge_refresh_tokens 1', 'those nobody used for 90 days go');
SELECT results_eq('SELECT sha256 FROM tf.refresh_token', $$ VALUES ('\x03'::bytea) $$, 'the others stay');
INSERT INTO tf.secret (client_id, path, key_id, data_key, value, single_use, expires_at, job_id, number)
SELECT 'c', 'p' || n, 'k', '', '', n > 600, now() + CASE WHEN n % 2 = 0 THEN -1 ELSE 1 END * interval '1 h',
       CASE WHEN n > 1200 THEN pg_temp.id(1) END, CASE WHEN n > 1200 THEN n END
FROM generate_series(1, 1202) n;
SELECT is(pg_temp.run('purge_secrets'), 'run 1, more 1, purge_secrets 500', 'a batch of what has expired goes');
SELECT is(pg_temp.run('purge_secrets'), 'run 1, purge_secrets 100', 'and the rest');
SELECT results_eq('SELECT count(*), count(*) FILTER (WHERE expires_at < now()), count(job_id) FROM tf.secret',
    'VALUES (602::bigint, 1::bigint, 2::bigint)', 'but not what is spent on a job');
INSERT INTO tf.wait_sample (queue, at, seconds)
    SELECT 'q', now() - n * interval '1 s', 1 FROM generate_series(1, 1700) n;
SELECT is(pg_temp.run('purge_wait_samples'), 'run 1, more 1, purge_wait_samples 500', 'old samples go');
INSERT INTO tf.file (week, id, job_id, attempt, kind, created_at)
    VALUES (tfx.find_week(now()), pg_temp.id(1), pg_temp.id(1), 0, 'artifact', now() - interval '2 days');
SELECT is(pg_temp.run('sweep_files'), 'run 1, sweep_files 1', 'an upload nobody finished goes');
-- what was posted about ids that are no jobs
SELECT pg_temp.post(n, 'test', 'a', '{"test": 0}') FROM generate_series(30, 33) n \g /dev/null
SELECT pg_temp.submit(32) \g /dev/null
SELECT is(pg_temp.run('purge_strays'), 'run 1', 'what was posted about no job of ours is kept');
UPDATE tf.stray SET since = since - interval '8 days' WHERE job_id <> pg_temp.id(33);
SELECT is(tfx.purge_strays(1), 1, 'for a week');
SELECT is(pg_temp.run('purge_strays'), 'run 1, purge_strays 2', 'then it goes');
SELECT results_eq($$ SELECT DISTINCT t.job_id FROM (SELECT job_id FROM tf.attempt UNION ALL SELECT job_id FROM tf.phase
        UNION ALL SELECT job_id FROM tf.result) t WHERE t.job_id >= pg_temp.id(30) ORDER BY 1 $$,
    'SELECT pg_temp.id(n) FROM generate_series(32, 33) n', 'unless there is a job by now');
SELECT results_eq('SELECT job_id FROM tf.stray', 'SELECT pg_temp.id(33)', 'and is not looked at again');
SELECT ok(count(*) = 8, 'each has its row') FROM tf.task;

-- whom it concerns
SELECT pg_temp.submit(20, '{"queue": "t1"}'), pg_temp.submit(21, '{"queue": "t1"}'),
    pg_temp.submit(22, '{"queue": "t2"}') \g /dev/null
SELECT is(pg_temp.concerned('reap_leases'), NULL, 'nobody, when nothing was done');
SELECT pg_temp.claim('t' || n, '{t1,t2}', n) FROM generate_series(20, 22) n \g /dev/null
SELECT pg_temp.age(n, '2 min') FROM generate_series(20, 22) n \g /dev/null
SELECT is(pg_temp.concerned('reap_leases'), 'job 020, job 021, job 022, queue t1, queue t2',
    'who waits for the jobs, or for work where they wait again');
SELECT pg_temp.submit(23, '{"queue": "t3", "max_wait": 1}') \g /dev/null
UPDATE tf.deadline SET at = now() WHERE job_id = pg_temp.id(23);
SELECT is(pg_temp.concerned('expire_jobs'), 'job 023', 'no queue when the job has ended');
SELECT is(pg_temp.concerned('release_jobs'), NULL, 'no more than what was done');
\ir lib/end.psql
