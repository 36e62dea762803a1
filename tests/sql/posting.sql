-- SPDX-License-Identifier: GPL-3.0-or-later
-- Results that are posted together: each gets the answer, and leaves the rows, that it would have got and
-- left alone.
\ir lib/begin.psql

-- Posts about jobs of agent 'a<job>', each in a list of its own turn; a job is named once in each.
CREATE TEMPORARY TABLE post AS SELECT p.turn, p.n, p.job, coalesce(p.more ->> 'agent', 'a' || p.job) AS agent,
    p.more ->> 'token' AS token, p.more ->> 'status' AS status, p.more ->> 'device_info' AS device_info, p.state,
    p.more ->> 'stopped' AS stopped
FROM (VALUES
    -- 1 to 4: agents that know no leases, by phases
    (1, 1, 1, 'setup', '{}'::jsonb),
    (1, 2, 2, 'setup', '{"status": "{\"setup\": 0}"}'),
    (1, 3, 3, NULL, '{"device_info": "{\"ip\": \"10.0.0.1\"}"}'),
    (1, 4, 4, 'my own state', '{}'),
    -- 5 to 7: leases of their own, by name and by token
    (1, 5, 5, 'provision', '{"token": "00000000-0000-7000-8000-000000000905"}'),
    (1, 6, 6, 'provision', '{}'),
    (1, 7, 7, 'test', '{"token": "00000000-0000-7000-8000-000000000905"}'),
    -- 8: cancelled, 9: nobody claimed it, 10: another agent's, 11: a second attempt, 12: left behind
    (1, 8, 8, 'test', '{"status": "{\"setup\": 1}"}'),
    (1, 9, 9, 'test', '{}'),
    (1, 10, 10, 'test', '{"agent": "x"}'),
    (1, 11, 11, 'provision', '{"status": "{\"setup\": 0}"}'),
    (1, 12, 12, 'test', '{}'),
    (1, 13, 13, 'waiting', '{}'),
    (1, 14, 14, 'cancelled', '{"status": "{}"}'),
    (1, 15, 15, 'complete', '{}'),
    (1, 16, 16, 'complete', '{"status": "{\"setup\": 0, \"test\": 1}"}'),
    (1, 17, 99, 'setup', '{}'),
    (2, 1, 1, 'setup', '{"status": "{}"}'),
    (2, 2, 2, 'provision', '{"status": "{\"setup\": 0, \"provision\": 0}", "device_info": "{}"}'),
    (2, 3, 3, 'test', '{"status": "{\"test\": 3}", "stopped": "output_timeout"}'),
    (2, 4, 4, 'setup', '{"stopped": "whatever"}'),
    (2, 5, 5, 'complete', '{"token": "00000000-0000-7000-8000-000000000905"}'),
    (2, 6, 6, 'completed', '{"status": "{\"test\": 0, \"cleanup\": 4}", "device_info": "{}"}'),
    (2, 7, 7, 'complete', '{"token": "00000000-0000-7000-8000-000000000907", "status": "{\"provision\": 2}"}'),
    (2, 8, 8, 'complete', '{"status": "{\"setup\": 0}"}'),
    (2, 9, 9, 'complete', '{}'),
    (2, 10, 11, 'complete', '{"status": "{\"setup\": 0}"}'),
    (2, 11, 12, 'complete', '{}'),
    (2, 12, 13, 'complete', '{"status": "{\"test\": 1}"}'),
    (2, 13, 14, 'complete', '{"status": "{\"test\": 1}"}'),
    (2, 14, 15, 'test', '{"status": "{\"test\": 1}"}'),
    (2, 15, 16, 'complete', '{}'),
    (2, 16, 17, 'complete', '{"device_info": "{\"ip\": null}"}'),
    (3, 1, 1, 'complete', '{}'),
    (3, 2, 2, 'complete', '{}'),
    (3, 3, 3, 'complete', '{}'),
    (3, 4, 4, 'complete', '{"stopped": "global_timeout", "status": "{\"setup\": -1}"}'),
    (3, 5, 5, 'complete', '{"token": "00000000-0000-7000-8000-000000000905"}'),
    (3, 6, 8, 'complete', '{}')) p(turn, n, job, state, more);

-- The turns of posts change what was left by the turn before, so time passes between them.
CREATE FUNCTION pg_temp.older() RETURNS void LANGUAGE sql AS $$
    UPDATE tf.lease l SET lease_until = l.lease_until - interval '100 s', claimed_at = l.claimed_at - interval '1 h'
$$;
CREATE FUNCTION pg_temp.alone(p_turn int, p_n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
    v_why text;
BEGIN
    RETURN coalesce((SELECT r.queue FROM post p CROSS JOIN LATERAL api.post_result(pg_temp.id(p.job), p.agent, p.token,
        p.status, p.device_info, p.state, p.stopped) r WHERE p.turn = p_turn AND p.n = p_n), '-');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_why = MESSAGE_TEXT;
    RETURN v_state || ' ' || v_why;
END
$$;
-- The answers to all; those that are made alone last, as the server does it.
CREATE FUNCTION pg_temp.one_by_one() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v post;
    v_answers text := '';
    v_turn int := 1;
BEGIN
    FOR v IN SELECT * FROM post p ORDER BY p.turn, p.n LOOP
        IF v.turn > v_turn THEN
            v_turn := v.turn;
            PERFORM pg_temp.older();
        END IF;
        v_answers := concat(v_answers, v.turn, '.', v.n, ' ', pg_temp.alone(v.turn, v.n), E'\n');
    END LOOP;
    RETURN v_answers;
END
$$;
CREATE FUNCTION pg_temp.together() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_turn record;
    v_answers text := '';
    v_these text[];
BEGIN
    FOR v_turn IN
        SELECT p.turn, array_agg(pg_temp.id(p.job) ORDER BY p.n) AS ids, array_agg(p.agent ORDER BY p.n) AS agents,
               array_agg(p.token ORDER BY p.n) AS tokens, array_agg(p.status ORDER BY p.n) AS statuses,
               array_agg(p.device_info ORDER BY p.n) AS infos, array_agg(p.state ORDER BY p.n) AS states,
               array_agg(p.stopped ORDER BY p.n) AS stopped
        FROM post p GROUP BY p.turn ORDER BY p.turn
    LOOP
        IF v_turn.turn > 1 THEN
            PERFORM pg_temp.older();
        END IF;
        v_these := array_fill('-'::text, ARRAY[cardinality(v_turn.ids)]);
        FOR v IN
            SELECT * FROM api.post_results(v_turn.ids, v_turn.agents, v_turn.tokens, v_turn.statuses, v_turn.infos,
                v_turn.states, v_turn.stopped) ORDER BY alone, request
        LOOP
            ASSERT v_these[v.request + 1] = '-', 'one answer for each';
            v_these[v.request + 1] := CASE WHEN v.alone THEN pg_temp.alone(v_turn.turn, v.request + 1) ELSE v.queue END;
        END LOOP;
        v_answers := v_answers || (SELECT string_agg(concat(v_turn.turn, '.', n, ' ', t, E'\n'), '' ORDER BY n)
                                   FROM unnest(v_these) WITH ORDINALITY u(t, n));
    END LOOP;
    RETURN v_answers;
END
$$;
-- All that is there of jobs; of moments that are not those of the transaction only whether they are known.
CREATE FUNCTION pg_temp.known(p_row jsonb, VARIADIC p_moments text[]) RETURNS text LANGUAGE sql AS $$
    SELECT (p_row || coalesce(jsonb_object_agg(m, p_row -> m <> 'null'), '{}'))::text FROM unnest(p_moments) m
$$;
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(r, E'\n' ORDER BY r COLLATE "C") FROM (
        SELECT 'job ' || pg_temp.known(to_jsonb(j), 'finished_at', 'started_at') FROM tf.job j
        UNION ALL SELECT 'lease ' || l::text FROM tf.lease l
        UNION ALL SELECT 'wait ' || pg_temp.known(to_jsonb(w), 'since') FROM tf.wait w
        UNION ALL SELECT 'hold ' || pg_temp.known(to_jsonb(h), 'since', 'not_before') FROM tf.hold h
        UNION ALL SELECT 'deadline ' || d::text FROM tf.deadline d
        UNION ALL SELECT 'attempt ' || pg_temp.known(to_jsonb(a), 'claimed_at', 'ended_at') FROM tf.attempt a
        UNION ALL SELECT 'result ' || u::text FROM tf.result u
        UNION ALL SELECT 'phase ' || pg_temp.known(to_jsonb(p), 'started_at', 'ended_at') FROM tf.phase p
        UNION ALL SELECT 'stray ' || s.job_id FROM tf.stray s
        UNION ALL SELECT 'naming ' || s::text FROM tf.job_secret s
        UNION ALL SELECT 'secret ' || pg_temp.known(to_jsonb(s), 'created_at') FROM tf.secret s
        UNION ALL SELECT format('count %s %s', c.queue, sum(c.finished)) FROM tf.queue_count c GROUP BY c.queue
        UNION ALL SELECT 'event ' || (to_jsonb(e) - '{id,at}'::text[])::text FROM tf.event e) a(r)
$$;

-- post_results
SELECT api.post_agent('spare', '{"queues": ["q11", "q13", "q14"]}', NULL) \g /dev/null
SELECT api.put_secret('c', 'path/1', 'k1', '\x01', '\x02', true, NULL) \g /dev/null
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'q' || n) || CASE n
        WHEN 2 THEN '{"secrets": ["path/1"], "client_id": "c"}'::jsonb WHEN 1 THEN '{"max_wait": 60}'
        WHEN 13 THEN '{"retry": {"max": 1, "on": ["test"]}}' WHEN 14 THEN '{"retry": {"max": 1, "on": ["test"], "backoff": 60}}'
        ELSE '{}' END)
FROM generate_series(1, 17) n \g /dev/null
SELECT pg_temp.claim('a11', '{q11}', 911) \g /dev/null
SELECT pg_temp.post(11, 'setup', 'a11', '{"setup": 1}') \g /dev/null
SELECT pg_temp.age(11, '1 h') \g /dev/null
SELECT tfx.reap_leases(9) \g /dev/null
SELECT pg_temp.claim('a' || n, ARRAY['q' || n], n,
    CASE WHEN n BETWEEN 5 AND 7 THEN '{"lease": 300}'::jsonb ELSE '{}' END)
FROM generate_series(1, 17) n WHERE n NOT IN (9, 11) \g /dev/null
SELECT pg_temp.claim('spare', '{q11}', 11) \g /dev/null
UPDATE post SET agent = 'spare' WHERE job = 11 AND turn = 1;
SELECT api.cancel_job(pg_temp.id(8), NULL) \g /dev/null
SELECT pg_temp.post(12, 'setup', 'a12') \g /dev/null
UPDATE tf.lease SET left_at = now() WHERE job_id = pg_temp.id(12);
SAVEPOINT alone;
SELECT pg_temp.one_by_one() AS answers \gset
SELECT pg_temp.rows() AS rows \gset
ROLLBACK TO alone;
SELECT is(pg_temp.together(), :'answers', 'each post gets the answer it would have got alone');
SELECT is(pg_temp.rows(), :'rows', 'and leaves the same rows');
SELECT is((SELECT array_agg(DISTINCT a ORDER BY a) FROM regexp_split_to_table(:'answers', E'\n') s
    CROSS JOIN LATERAL regexp_replace(s, '^\S+ ', '') a WHERE a <> ''),
    ARRAY['-', 'TF409 job "' || pg_temp.id(7) || '" is not leased under this token any more', 'q13'], 'all kinds of answers are among them');
SELECT results_eq($$ SELECT outcome, final_state, count(*)::int FROM tf.job WHERE outcome IS NOT NULL
    GROUP BY outcome, final_state ORDER BY outcome, final_state $$, $$ VALUES ('cancelled', 'cancelled', 1), ('failed', 'complete', 1),
        ('infra_failed', 'complete', 1), ('passed', 'complete', 7), ('passed', 'completed', 1), ('timed_out', 'complete', 2) $$,
    'and all kinds of ends');
ROLLBACK TO alone;
SELECT is_empty($$ SELECT * FROM api.post_results('{}', '{}', '{}', '{}', '{}', '{}', '{}') $$, 'nothing is posted');
\ir lib/end.psql
