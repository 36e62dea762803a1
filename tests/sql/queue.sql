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

-- images
SELECT is((SELECT body FROM api.get_queue_images('i')), '{}', 'an unknown queue has no images');
SELECT api.set_queue_images('{"i": {"z": "url: 1", "a": "url: 2"}, "a": {}}') \g /dev/null
SELECT is((SELECT body FROM api.get_queue_images('i')), '{"z": "url: 1", "a": "url: 2"}', 'images as they were posted');
SELECT is((SELECT body::jsonb -> 'i' FROM api.list_advertised_queues()), '""', 'their queue is advertised without description');
SELECT is((SELECT body::jsonb ->> 'a' FROM api.list_advertised_queues()), 'changed', 'or keeps the one it has');
SELECT api.set_queue_images('{"i": {"new": "x"}}'), api.set_advertised_queues('{"i": "text"}'), api.set_queue_images('{}') \g /dev/null
SELECT is((SELECT body FROM api.get_queue_images('i')), '{"new": "x"}', 'a new set replaces the old, a description does not');
UPDATE tf.advertised_queue SET updated_at = now() - interval '8 days' WHERE queue = 'i';
SELECT is((SELECT body FROM api.get_queue_images('i')), '{}', 'images not refreshed for a week drop out');

-- waiting times
SELECT is((SELECT body FROM api.list_wait_times(NULL)), '{}', 'no job has waited yet');
INSERT INTO tf.wait_sample (queue, at, seconds) SELECT 'w', now() - make_interval(secs => n), n * 10 FROM generate_series(1, 4) n;
INSERT INTO tf.wait_sample (queue, seconds) VALUES ('v', 7);
SELECT is((SELECT body::jsonb FROM api.list_wait_times('["w", "none", "w"]')),
    '{"w": {"5": 11.5, "10": 13, "50": 25, "90": 37, "95": 38.5}}', 'percentiles lie between the closest ranks');
SELECT is((SELECT body::jsonb FROM api.list_wait_times(NULL)) - 'w', '{"v": {"5": 7, "10": 7, "50": 7, "90": 7, "95": 7}}',
    'of every queue, if none is named');
SELECT is((SELECT body FROM api.list_wait_times('[""]')), '{}', 'the empty name is a name');
SELECT is(tfx.purge_wait_samples(9), 0, 'few samples are kept');
INSERT INTO tf.wait_sample (queue, at, seconds) SELECT 'w', now() + make_interval(secs => n), 1 FROM generate_series(1, 1000) n;
SELECT is((SELECT body::jsonb -> 'w' ->> '95' FROM api.list_wait_times('["w"]')), '1', 'the newest thousand count');
SELECT is(tfx.purge_wait_samples(3), 3, 'older ones are deleted, not too many at a time');
SELECT is(tfx.purge_wait_samples(3), 1, 'until there are no more');
SELECT is((SELECT count(*) FROM tf.wait_sample), 1001::bigint, 'and only those');
SELECT pg_temp.submit(99, '{"queue": "u"}') \g /dev/null
SELECT pg_temp.claim('x', '{u}', 1) \g /dev/null
SELECT is((SELECT body::jsonb ? 'u' FROM api.list_wait_times(NULL)), true, 'a claim is a sample');

SELECT pg_temp.submit(1), pg_temp.submit(5, '{"queue": "r", "has_reservation": true}') \g /dev/null
SELECT results_eq($$ SELECT label || ' ' || string_agg(series || ' ' || value, ' ' ORDER BY series)
    FROM api.read_series() WHERE label = ANY ('{q,r,u}') GROUP BY label ORDER BY label $$,
    $$ VALUES ('q claimed 0 finished 0 jobs 1 reservations 0'), ('r claimed 0 finished 0 jobs 1 reservations 1'),
        ('u claimed 1 finished 0 jobs 1 reservations 0') $$, 'jobs, reservations and claims are counted');
SELECT api.cancel_job(pg_temp.id(5), NULL) \g /dev/null
SELECT is((SELECT value FROM api.read_series() WHERE label = 'r' AND series = 'finished'), 1::bigint, 'and the end of a job');
\ir lib/end.psql
