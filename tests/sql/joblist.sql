-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lists of jobs: by queue, tags and states, recent or in pages.
\ir lib/begin.psql
-- The numbers and states of a whole list, page by page, with / between pages that show something.
CREATE FUNCTION pg_temp.listed(p_query jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_page record;
    v_at bigint;
    v_floor bigint;
    v_list text;
BEGIN
    p_query := '{"days": 7}' || p_query;
    FOR i IN 1..100 LOOP
        SELECT * INTO v_page FROM api.list_jobs(p_query, v_at, v_floor);
        v_at := v_page.next_at;
        v_floor := v_page.floor_at;
        v_list := concat_ws(' / ', nullif(v_list, ''), (
            SELECT string_agg(concat_ws(' ', right(j ->> 'job_id', 4)::int, nullif(j ->> 'job_state', 'waiting')), ', '
                              ORDER BY n)
            FROM jsonb_array_elements(('[' || v_page.body || ']')::jsonb) WITH ORDINALITY e(j, n)));
        EXIT WHEN v_at IS NULL;
    END LOOP;
    RETURN coalesce(nullif(v_list, ''), 'none');
END
$$;
SELECT is(pg_temp.listed('{}'), 'none', 'no jobs');
SELECT is(pg_temp.listed('{"limit": 5}'), 'none', 'on no page');
SELECT is(tfx.find_first_since(now()), 1::bigint, 'every job to come will be recent');
SELECT pg_temp.submit(1, '{"tags": ["x", "y", "x"]}'), pg_temp.submit(2, '{"tags": ["x"], "queue": "r"}'),
    pg_temp.submit(3, '{"tags": ["z"], "hold": true}'), pg_temp.submit(4), pg_temp.submit(5, '{"tags": [""]}') \g /dev/null
SELECT pg_temp.claim('a'), api.cancel_job(pg_temp.id(2), NULL), pg_temp.claim('b', '{q}', 1) \g /dev/null
SELECT pg_temp.post(1, 'test'), pg_temp.post(4, 'complete', 'b') \g /dev/null

SELECT is(pg_temp.listed('{}'), '1 test, 2 cancelled, 3, 4 complete, 5', 'all of them, as they came');
SELECT is((SELECT body::jsonb - 'created_at' FROM api.list_jobs('{"limit": 1}', NULL, NULL)),
    jsonb_build_object('job_id', pg_temp.id(5), 'job_state', 'waiting'), 'what is shown');
SELECT is(pg_temp.listed('{"limit": 2}'), '5, 4 complete / 3, 2 cancelled / 1 test', 'in pages, newest first');
SELECT is(pg_temp.listed('{"limit": 5}'), '5, 4 complete, 3, 2 cancelled, 1 test', 'a page that is just full is the last');
SELECT is(pg_temp.listed('{"queue": "q"}'), '1 test, 3, 4 complete, 5', 'those of a queue');
SELECT is(pg_temp.listed('{"queue": "q", "limit": 3}'), '5, 4 complete, 3 / 1 test', 'in pages');
SELECT is((SELECT body::jsonb ->> 'job_queue' FROM api.list_jobs('{"queue": "r", "limit": 1}', NULL, NULL)), 'r',
    'with their queue');
SELECT is(pg_temp.listed('{"queue": "none"}'), 'none', 'none of another');

SELECT is(pg_temp.listed('{"tags": ["x"]}'), '1 test, 2 cancelled', 'those with a tag');
SELECT is(pg_temp.listed('{"tags": ["y", "z", "y"]}'), '1 test, 3', 'with one of several');
SELECT is(pg_temp.listed('{"tags": ["z", "x", "y"], "limit": 2}'), '3, 2 cancelled / 1 test', 'in pages');
SELECT is(pg_temp.listed('{"tags": ["x", "y"], "all": true}'), '1 test', 'with all of several');
SELECT is(pg_temp.listed('{"tags": ["x", "z"], "all": true}'), 'none', 'which none may have');
SELECT is(pg_temp.listed('{"tags": ["x", "y"], "all": true, "limit": 9}'), '1 test', 'on a page too');
SELECT is(pg_temp.listed('{"tags": [""]}'), '5', 'the empty tag is a tag');

SELECT is(pg_temp.listed('{"states": ["test", "waiting"]}'), '1 test, 3, 5', 'by state');
SELECT is(pg_temp.listed('{"states": ["complete", "cancelled"]}'), '2 cancelled, 4 complete', 'those that ended');
SELECT is(pg_temp.listed('{"states": ["test", "cancelled"], "limit": 1}'), '2 cancelled / 1 test', 'in pages');
SELECT is(pg_temp.listed('{"active": true}'), '1 test, 3, 5', 'the unfinished');
SELECT is(pg_temp.listed('{"active": true, "limit": 2}'), '5, 3 / 1 test', 'in pages');
SELECT is(pg_temp.listed('{"active": true, "tags": ["x"]}'), '1 test', 'by tag');
SELECT is(pg_temp.listed('{"states": ["cancelled"], "tags": ["x"]}'), '2 cancelled', 'state and tag');

-- what is old
UPDATE tf.job SET created_at = now() - interval '8 days' WHERE id <= pg_temp.id(4);
SELECT is(tfx.find_first_since(now() - interval '7 days'), (SELECT seq FROM tf.job WHERE id = pg_temp.id(5)),
    'where the last days begin');
SELECT is(pg_temp.listed('{}'), '1 test, 3 / 5', 'what ended long ago is left out');
SELECT is(pg_temp.listed('{"queue": "q"}'), '1 test, 3 / 5', 'of a queue too');
SELECT is(pg_temp.listed('{"tags": ["x", ""]}'), '1 test / 5', 'and of those with a tag');
SELECT is(pg_temp.listed('{"tags": ["x", "y"], "all": true}'), '1 test', 'or all tags');
SELECT is(pg_temp.listed('{"states": ["complete"]}'), 'none', 'whatever the state');
SELECT is(pg_temp.listed('{"active": true}'), '1 test, 3 / 5', 'unfinished jobs are never too old');
SELECT is(pg_temp.listed('{"days": 9}'), '1 test, 2 cancelled, 3, 4 complete, 5', 'how many days may be said');
SELECT is(pg_temp.listed('{"limit": 9}'), '5, 4 complete, 3, 2 cancelled, 1 test', 'pages show everything');
UPDATE tf.job SET created_at = now() - interval '8 days';
SELECT is(pg_temp.listed('{}'), '1 test, 3, 5', 'all may be old');
SELECT is(tfx.find_first_since(now() - interval '7 days'), (SELECT max(seq) + 1 FROM tf.job), 'then nothing is recent');

-- many
SELECT pg_temp.submit(n, jsonb_build_object('queue', 'many', 'tags', jsonb_build_array('m', 'm' || n % 4)))
FROM generate_series(1001, 3200) n \g /dev/null
SELECT results_eq($$ SELECT jsonb_array_length(('[' || body || ']')::jsonb), next_at = (SELECT seq FROM tf.job WHERE id = pg_temp.id(2000))
    FROM api.list_jobs('{"queue": "many", "days": 7}', NULL, NULL) $$, $$ VALUES (1000, true) $$, 'a thousand at a time');
CREATE FUNCTION pg_temp.count_listed(p_query jsonb) RETURNS int LANGUAGE sql AS
    $$ SELECT cardinality(regexp_split_to_array(pg_temp.listed(p_query), '[,/]')) $$;
SELECT is(pg_temp.count_listed('{"queue": "many"}'), 2200, 'but all of them');
SELECT is(pg_temp.count_listed('{"tags": ["m"]}'), 2200, 'by tag');
SELECT is(pg_temp.count_listed('{"tags": ["m1", "m2"]}'), 1100, 'by tags, none twice');
SELECT is(pg_temp.count_listed('{"tags": ["m", "m2"], "all": true}'), 550, 'and by all tags');
SELECT is(pg_temp.count_listed('{"tags": ["m1", "m3"], "limit": 300}'), 1100, 'in pages');
SELECT is(pg_temp.count_listed('{"active": true}'), 2203, 'the unfinished of all queues');
\ir lib/end.psql
