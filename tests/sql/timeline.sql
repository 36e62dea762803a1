-- SPDX-License-Identifier: GPL-3.0-or-later
-- The story of a job, and why it waits.
\ir lib/begin.psql

CREATE FUNCTION pg_temp.told(n int, p_after text DEFAULT NULL, p_limit int DEFAULT 100, p_waits text DEFAULT NULL)
RETURNS SETOF json LANGUAGE sql AS $$
    SELECT regexp_replace(l.line, '^[0-9.]+ ', '')::json
    FROM api.read_timeline(pg_temp.id(n), p_after, p_limit, p_waits) t,
         LATERAL string_to_table(t.lines, E'\n') l(line)
$$;
-- The story as one word for each entry, with what is special to it.
CREATE FUNCTION pg_temp.story(n int, p_after text DEFAULT NULL, p_limit int DEFAULT 100, p_waits text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(':', s ->> 'what', s ->> 'attempt', s ->> 'who', s ->> 'why', s ->> 'phase',
                                s ->> 'exit_code', s ->> 'outcome'), ' ')
    FROM pg_temp.told(n, p_after, p_limit, p_waits) s
$$;
CREATE FUNCTION pg_temp.agent(p_name text, p_state text, p_queue text DEFAULT 'q') RETURNS void LANGUAGE sql AS
    $$ SELECT api.post_agent(p_name, jsonb_build_object('state', p_state, 'queues', ARRAY[p_queue]), NULL) $$;

SELECT is_empty($$ SELECT * FROM api.read_timeline(pg_temp.id(99), NULL, 10, NULL) $$, 'an unknown job has no story');

-- why a job waits
SELECT pg_temp.submit(1, '{"client_id": "me"}');
SELECT is(pg_temp.story(1), 'submitted:0:me waiting:0:no_agent', 'no agent serves the queue');
SELECT pg_temp.agent('x', 'offline'), pg_temp.agent('y', 'maintenance'), pg_temp.agent('z', 'waiting', 'other');
SELECT is(pg_temp.story(1), 'submitted:0:me waiting:0:offline', 'all that do are away');
SELECT pg_temp.agent('x', 'provision');
SELECT is(pg_temp.story(1), 'submitted:0:me waiting:0:busy', 'all that are there have work');
SELECT pg_temp.agent('x', 'waiting');
SELECT is(pg_temp.story(1), 'submitted:0:me waiting:0:turn', 'one is free');
SELECT is(pg_temp.submit(2, '{"exclude_agents": ["x"], "queue": "q"}'), true, 'another job excludes it');
SELECT is(tfx.explain_wait('q', '{x}'), 'offline', 'it does not count there');
SELECT is(tfx.explain_wait('other', '{z}'), 'excluded', 'nobody is left');
UPDATE tf.agent SET updated_at = now() - interval '8 days' WHERE name = 'z';
SELECT is(tfx.explain_wait('other', NULL), 'no_agent', 'agents nobody heard of for a week do not count');
SELECT pg_temp.submit(3, '{"hold": true}');
SELECT is(pg_temp.story(3), 'submitted:0:attachments waiting:0:attachments', 'a job that waits for its attachments');
SELECT results_eq($$ SELECT waits, ended, more FROM api.read_timeline(pg_temp.id(3), NULL, 10, NULL) $$,
    $$ VALUES ('attachments', false, false) $$, 'says so beside the story too');
SELECT is(pg_temp.story(3, p_waits => 'attachments'), 'submitted:0:attachments', 'a reason that was told is not told again');
SELECT is(pg_temp.story(3, p_after => '999999999999999.0.0', p_waits => 'x'), 'waiting:0:attachments', 'another one is');

-- a whole life
SELECT is(pg_temp.claim('x'), 1, 'the job is claimed');
SELECT is(tfx.explain_wait('q', NULL), 'busy', 'who has a job is busy whatever it says');
SELECT pg_temp.post(1, 'setup', 'x'), pg_temp.post(1, 'provision', 'x', '{"setup": 0}');
SELECT is(pg_temp.story(1), 'submitted:0:me claimed:1:x phase_started:1:x:setup phase_ended:1:x:setup:0'
    ' phase_started:1:x:provision', 'phases begin and end');
UPDATE tf.lease SET lease_until = now() - interval '1 s' WHERE job_id = pg_temp.id(1);
SELECT is((SELECT reason FROM tfx.reap_leases(10)), 'retry', 'its agent is lost');
SELECT is(pg_temp.story(1, (SELECT max(s ->> 'id') FROM pg_temp.told(1) s WHERE s ->> 'what' = 'phase_started')),
    'lost:1:x retried:1:agent_lost waiting:1:offline', 'which is told before what comes of it');
SELECT is(pg_temp.claim('y'), 1, 'another one claims it');
UPDATE tf.event SET at = clock_timestamp() WHERE event = 'claim' AND attempt = 2; -- all of this is one transaction
SELECT pg_temp.post(1, 'test', 'y'), pg_temp.post(1, 'complete', 'y', '{"test": 3}');
SELECT is(pg_temp.story(1), 'submitted:0:me claimed:1:x phase_started:1:x:setup phase_ended:1:x:setup:0'
    ' phase_started:1:x:provision lost:1:x retried:1:agent_lost claimed:2:y phase_started:2:y:test'
    ' phase_ended:2:y:test:3 ended:2:y:failed', 'to the end');
SELECT is(ended, true, 'which is known to be one') FROM api.read_timeline(pg_temp.id(1), NULL, 100, NULL);

-- pages
CREATE TEMPORARY TABLE page AS
    WITH RECURSIVE pages AS (
        SELECT 1 AS n, t.* FROM api.read_timeline(pg_temp.id(1), NULL, 2, NULL) t
        UNION ALL
        SELECT p.n + 1, t.* FROM pages p, LATERAL api.read_timeline(pg_temp.id(1), p.last_id, 2, NULL) t WHERE p.more)
    SELECT * FROM pages;
SELECT results_eq($$ SELECT n, more, ended FROM page ORDER BY n $$,
    $$ SELECT n, n < 6, n = 6 FROM generate_series(1, 6) n $$, 'all but the last page have others behind them');
SELECT is((SELECT string_agg(lines, E'\n' ORDER BY n) FROM page),
    (SELECT lines FROM api.read_timeline(pg_temp.id(1), NULL, 100, NULL)), 'and together they are the story');
SELECT results_eq($$ SELECT lines, last_id, more, ended FROM api.read_timeline(pg_temp.id(1), (SELECT last_id FROM page WHERE n = 6), 2, NULL) $$,
    $$ VALUES (NULL, NULL, false, true) $$, 'behind the end there is nothing');

-- cancelled by whom
SELECT api.cancel_job(pg_temp.id(2), 'somebody');
SELECT is(pg_temp.story(2), 'submitted:0 cancelled:0:somebody:cancelled', 'who cancelled a job is told');
SELECT pg_temp.submit(4), pg_temp.agent('w', 'waiting', 'w'), pg_temp.submit(5, '{"queue": "w"}');
SELECT is(pg_temp.claim('w', '{w}'), 5, 'a job that runs');
SELECT pg_temp.post(5, 'setup', 'w'), api.cancel_job(pg_temp.id(5), 'me');
SELECT is(pg_temp.story(5), 'submitted:0 claimed:1:w phase_started:1:w:setup cancelled:1:me:cancelled', 'and is cancelled');
SELECT is(ended, true, 'has ended at once') FROM api.read_timeline(pg_temp.id(5), NULL, 100, NULL);
SELECT pg_temp.post(5, 'complete', 'w');
SELECT is((SELECT s ->> 'what' || ' ' || (s ->> 'why') FROM pg_temp.told(5) s OFFSET 4), 'released complete',
    'then its agent is past it');
SELECT is(tfx.name_event('something new'), 'something new', 'an event without a word for it has its own name');
\ir lib/end.psql
