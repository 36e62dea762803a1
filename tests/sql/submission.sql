-- SPDX-License-Identifier: GPL-3.0-or-later
-- Submissions that are made together: each gets the answer, and leaves the rows, that it would have got
-- and left alone.
\ir lib/begin.psql

-- The n-th of a list, with its usual facts.
CREATE FUNCTION pg_temp.facts(n bigint, p_facts jsonb) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('new_id', pg_temp.id(n::int), 'queue', 'q', 'sha256', 'aa') || p_facts $$;
CREATE FUNCTION pg_temp.alone(p_facts jsonb, n bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
    v_why text;
BEGIN
    RETURN (SELECT job_id FROM api.submit_job(format('{"n": %s}', n), p_facts));
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_why = MESSAGE_TEXT;
    RETURN v_state || ' ' || v_why;
END
$$;
CREATE FUNCTION pg_temp.one_by_one(p_list jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(u.n || ' ' || pg_temp.alone(pg_temp.facts(u.n, u.f), u.n), E'\n' ORDER BY u.n)
    FROM jsonb_array_elements(p_list) WITH ORDINALITY u(f, n)
$$;
-- As the server does it: what is known already is made alone, in its order.
CREATE FUNCTION pg_temp.together(p_list jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_answers text[] := array_fill(NULL::text, ARRAY[jsonb_array_length(p_list)]);
    v_facts jsonb := (SELECT jsonb_agg(pg_temp.facts(n, f) ORDER BY n)
                      FROM jsonb_array_elements(p_list) WITH ORDINALITY u(f, n));
    v record;
BEGIN
    FOR v IN
        SELECT * FROM api.submit_jobs(
            ARRAY(SELECT format('{"n": %s}', n) FROM generate_series(1, cardinality(v_answers)) n), v_facts)
        ORDER BY coalesce(failure, '') = '55P03', request
    LOOP
        ASSERT v_answers[v.request + 1] IS NULL, 'one answer for each';
        v_answers[v.request + 1] := CASE
            WHEN v.failure = '55P03' THEN pg_temp.alone(v_facts -> v.request, v.request + 1)
            WHEN v.failure IS NULL THEN v.job_id
            ELSE v.failure || ' ' || v.why END;
    END LOOP;
    RETURN (SELECT string_agg(n || ' ' || a, E'\n' ORDER BY n) FROM unnest(v_answers) WITH ORDINALITY u(a, n));
END
$$;
-- All that is there of jobs; numbers by their order.
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(r, E'\n' ORDER BY r COLLATE "C") FROM (
        SELECT 'job ' || (to_jsonb(j) - 'seq' || jsonb_build_object('nth', rank() OVER (ORDER BY j.seq)))::text
        FROM tf.job j
        UNION ALL SELECT 'definition ' || d::text FROM tf.definition d
        UNION ALL SELECT 'wait ' || (to_jsonb(w) - 'seq')::text FROM tf.wait w JOIN tf.job j ON j.seq = w.seq AND j.id = w.job_id
        UNION ALL SELECT 'hold ' || (to_jsonb(h) - 'seq')::text FROM tf.hold h JOIN tf.job j ON j.seq = h.seq AND j.id = h.job_id
        UNION ALL SELECT 'deadline ' || d::text FROM tf.deadline d
        UNION ALL SELECT 'tag ' || t.tag || ' ' || j.id FROM tf.job_tag t JOIN tf.job j ON j.seq = t.seq AND j.id = t.job_id
        UNION ALL SELECT 'secret ' || s::text FROM tf.job_secret s
        UNION ALL SELECT format('count %s %s %s', c.queue, sum(c.jobs), sum(c.reservations)) FROM tf.queue_count c GROUP BY c.queue
        UNION ALL SELECT 'event ' || (to_jsonb(e) - '{id,at}'::text[])::text FROM tf.event e
        UNION ALL SELECT 'key ' || k::text FROM tf.submission_key k) a(r)
$$;

-- submit_jobs
SELECT api.post_agent('a', '{"queues": ["q"]}', NULL), api.post_agent('b', '{"queues": ["q"]}', NULL) \g /dev/null
SELECT api.put_secret('c', 'path/1', 'k1', '\x01', '\x02', false, NULL) \g /dev/null
INSERT INTO tf.restricted_queue VALUES ('closed');
CREATE TEMPORARY TABLE list AS SELECT '[
    {},
    {"id_bad": true},
    {"priority": 1},
    {"priority": 5, "authenticated": true, "max_priority": 5, "client_id": "c"},
    {"priority": 6, "authenticated": true, "max_priority": 5},
    {"tags": ["t", "u", "t"], "name": "n", "parent": "p", "queue": "other"},
    {"tags": []},
    {"hold": true, "exclude_agents": ["a"], "queue": "q"},
    {"hold": false, "exclude_agents": [], "queue": "other"},
    {"exclude_agents": ["a", "b"]},
    {"queue": "closed"},
    {"queue": "closed", "authenticated": true},
    {"queue": "closed", "authenticated": true, "queue_allowed": true},
    {"has_reservation": true, "reserve_timeout": 21601},
    {"has_reservation": true, "reserve_timeout": 21601, "authenticated": true, "max_reservation": 21600},
    {"has_reservation": true},
    {"has_reservation": true, "reserve_timeout": 60, "queue": "other"},
    {"max_wait": 60, "hold": true, "tags": ["t"]},
    {"max_wait": 61, "global_timeout": 5, "parent_id": "00000000-0000-7000-8000-000000000001"},
    {"secrets": ["path/1", "path/1"], "client_id": "c"},
    {"secrets": ["path/2", "path/1"], "client_id": "c"},
    {"secrets": ["path/1"]},
    {"secrets": [], "client_id": "c"},
    {"retry": {"max": 2, "backoff": 3}},
    {"retry": {"max": 1, "on": ["failed", "setup"], "avoid_same_agent": true}},
    {"retry": {"max": 0, "on": []}, "priority": -9223372036854775808, "authenticated": true},
    {"id": "00000000-0000-7000-8000-000000000099"},
    {"id": "00000000-0000-7000-8000-000000000099", "tags": ["v"], "max_wait": 1},
    {"id": "00000000-0000-7000-8000-000000000099", "sha256": "ab"},
    {"id": "00000000-0000-7000-8000-000000000099", "client_id": "c"},
    {"id": "00000000-0000-7000-8000-000000000000"},
    {"key": "one", "key_sha256": "01"},
    {"key": "one", "key_sha256": "01", "client_id": "c"},
    {"key": "one", "key_sha256": "01", "client_id": ""},
    {"key": "one", "key_sha256": "01", "client_id": "c", "priority": 1},
    {"key": "one", "key_sha256": "02"},
    {"key": "two", "key_sha256": "03", "id": "00000000-0000-7000-8000-000000000099"},
    {"key": "three", "key_sha256": "04", "id": "00000000-0000-7000-8000-000000000099", "sha256": "ab"},
    {"key": "four", "key_sha256": "05", "priority": 1},
    {"queue": "last"},
    {"key": "two", "key_sha256": "03"},
    {"key": "three", "key_sha256": "06"},
    {"key": "four", "key_sha256": "07"}
]'::jsonb || jsonb_build_array(jsonb_build_object('tags', ARRAY[repeat('x', 1001)])) AS it;
SAVEPOINT alone;
SELECT pg_temp.one_by_one(it) AS answers FROM list \gset
SELECT pg_temp.rows() AS rows \gset
SELECT pg_temp.one_by_one(it) AS again FROM list \gset
ROLLBACK TO alone;
SELECT pg_temp.together(it) AS got FROM list \gset
SELECT is(:'got'::text, :'answers', 'each submission gets the answer it would have got alone');
SELECT is(pg_temp.rows(), :'rows', 'and leaves the same rows');
SELECT is((SELECT count(*) FROM regexp_split_to_table(:'answers', E'\n') a WHERE a ~ '^\d+ TF'), 16::bigint,
    'many of them are refused');
SELECT is(pg_temp.together(it), :'again', 'the same list again is answered alike') FROM list;
SELECT is(pg_temp.rows(), :'rows', 'and changes nothing');
ROLLBACK TO alone;

-- the server leaves out what is 0 or false
SELECT pg_temp.together('[{}, {}]') AS answers \gset
SELECT pg_temp.rows() AS rows \gset
ROLLBACK TO alone;
SELECT is(pg_temp.together(jsonb_build_array(told, told)), :'answers', 'a fact that is not there is 0 or false')
FROM (VALUES ('{"priority": 0, "hold": false, "has_reservation": false, "id_bad": false, "authenticated": false,
    "max_priority": 0, "max_reservation": 0, "queue_allowed": false}'::jsonb)) t(told);
SELECT is(pg_temp.rows(), :'rows', 'and leaves the same rows');
ROLLBACK TO alone;

-- which of them need a transaction of their own
SELECT results_eq($$ SELECT request, failure FROM api.submit_jobs('{1,2,3,4,5}',
    jsonb_build_array(pg_temp.facts(1, '{"id": "00000000-0000-7000-8000-000000000009"}'),
        pg_temp.facts(2, '{"id": "00000000-0000-7000-8000-000000000009", "key": "k", "key_sha256": "00"}'),
        pg_temp.facts(3, '{"key": "k", "key_sha256": "00"}'), pg_temp.facts(4, '{"id_bad": true}'),
        pg_temp.facts(5, '{}'))) ORDER BY request $$,
    $$ VALUES (0, NULL), (1, '55P03'), (2, '55P03'), (3, 'TF400'), (4, NULL) $$, 'those that are known by their id or key');
SELECT is((SELECT count(*) FROM tf.submission_key), 0::bigint, 'one that made no job keeps no key');
SELECT is((SELECT count(*) FROM tf.job), 2::bigint, 'the others do not notice');
SELECT results_eq($$ SELECT body FROM tf.definition ORDER BY job_id $$, $$ VALUES ('5'), ('1') $$,
    'and have their own definitions');
SELECT is_empty($$ SELECT * FROM api.submit_jobs('{}', '[]') $$, 'nothing is submitted');

-- the order of the list is that of the queue, whatever ids clients bring
SELECT count(*) FROM api.submit_jobs(array_fill('{}'::text, ARRAY[60]), (SELECT jsonb_agg(
    pg_temp.facts(n, jsonb_build_object('queue', 'ordered', 'id', pg_temp.id(100 + n * 37 % 61))) ORDER BY n)
    FROM generate_series(1, 60) n)) \g /dev/null
SELECT results_eq($$ SELECT job_id FROM tf.wait WHERE queue = 'ordered' ORDER BY nprio, seq $$,
    $$ SELECT pg_temp.id(100 + n * 37 % 61) FROM generate_series(1, 60) n $$, 'jobs wait in the order of the list');

-- a key that was used more than a day ago
INSERT INTO tf.submission_key (key, sha256, job_id, created_at) VALUES ('old', '\x01', pg_temp.id(70), now() - interval '24 h');
SELECT is(pg_temp.together('[{"queue": "day"}, {"queue": "day", "key": "old", "key_sha256": "02"}]'), E'1 '
    || pg_temp.id(1) || E'\n2 ' || pg_temp.id(2), 'is free again');

\ir lib/end.psql
