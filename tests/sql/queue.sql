-- SPDX-License-Identifier: GPL-3.0-or-later
-- Queues: advertised, by agent, by job, counted.
\ir lib/begin.psql
SELECT is((SELECT body FROM api.list_advertised_queues()), '{}', 'nothing is advertised');
SELECT api.set_advertised_queues('{"b": "second", "a": "first"}'), api.set_advertised_queues('{"a": "changed", "c": ""}'),
    api.set_advertised_queues('{}');
SELECT is((SELECT body::jsonb FROM api.list_advertised_queues()), '{"a": "changed", "b": "second", "c": ""}',
    'descriptions are replaced, others stay');
UPDATE tf.advertised_queue SET updated_at = now() - interval '8 days' WHERE queue = 'b';
SELECT is((SELECT body::jsonb FROM api.list_advertised_queues()), '{"a": "changed", "c": ""}',
    'one not refreshed for a week drops out');

SELECT throws_ok($$ SELECT * FROM api.list_queue_agents('a') $$, 'TF404', NULL, 'advertising makes no queue for agents');
SELECT api.post_agent('x', '{"queues": ["q"], "identifier": "i", "state": "waiting"}', NULL), api.post_agent('y', '{"queues": ["q", "r"]}', NULL);
SELECT is((SELECT body::jsonb FROM api.list_queue_agents('q')),
    '[{"name": "x", "state": "waiting", "queues": ["q"]}, {"name": "y", "queues": ["q", "r"]}]', 'agents with fewer facts');
UPDATE tf.agent SET updated_at = now() - interval '8 days' WHERE name = 'y';
SELECT throws_ok($$ SELECT * FROM api.list_queue_agents('r') $$, 'TF404', NULL, 'agents long gone do not count');

SELECT is_empty($$ SELECT * FROM api.list_queue_jobs('q') $$, 'no jobs');
SELECT pg_temp.submit(1), pg_temp.submit(2), pg_temp.submit(3, '{"hold": true}'), pg_temp.submit(4),
    pg_temp.submit(5, '{"queue": "r", "has_reservation": true}') \g /dev/null
SELECT pg_temp.claim('x'), api.cancel_job(pg_temp.id(2), NULL) \g /dev/null
CREATE FUNCTION pg_temp.listed() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(right(j ->> 'job_id', 2)::int || ' ' || (j ->> 'job_state'), ', ')
    FROM api.list_queue_jobs('q'), jsonb_array_elements(body::jsonb) j
$$;
SELECT is(pg_temp.listed(), '1 running, 2 cancelled, 3 waiting, 4 waiting', 'jobs in order of arrival');
SELECT is((SELECT (body::jsonb -> 0) - 'created_at' FROM api.list_queue_jobs('r')),
    jsonb_build_object('job_id', pg_temp.id(5), 'job_state', 'waiting', 'job_queue', 'r'), 'with their queue');
UPDATE tf.job SET created_at = now() - interval '8 days' WHERE id IN (pg_temp.id(1), pg_temp.id(2), pg_temp.id(3));
SELECT is(pg_temp.listed(), '1 running, 3 waiting, 4 waiting', 'those that ended more than a week ago are left out');

SELECT results_eq(
    'SELECT queue, jobs, reservations, claimed, finished FROM api.queue_counters()',
    $$ VALUES ('q', 4::bigint, 0::bigint, 1::bigint, 1::bigint), ('r', 1, 1, 0, 0) $$,
    'jobs, reservations, claims and ends are counted');
\ir lib/end.psql
