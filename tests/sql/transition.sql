-- SPDX-License-Identifier: GPL-3.0-or-later
-- Every state against every event: through the guard, and through the functions that cause it.
\ir lib/begin.psql
INSERT INTO tf.agent (name, queues) SELECT 'spare', array_agg('q' || n) FROM generate_series(1, 500) n;

-- Where job n really is.
CREATE FUNCTION pg_temp.place(n int) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(s, '+'), 'new') FROM (
        SELECT 'held' FROM tf.hold WHERE job_id = pg_temp.id(n)
        UNION ALL SELECT 'waiting' FROM tf.wait WHERE job_id = pg_temp.id(n)
        UNION ALL SELECT CASE job_state WHEN 'cancelled' THEN 'cancelling' ELSE 'running' END
            FROM tf.lease WHERE job_id = pg_temp.id(n)
        UNION ALL SELECT final_state FROM tf.job WHERE id = pg_temp.id(n) AND final_state IS NOT NULL
            AND NOT EXISTS (SELECT FROM tf.lease WHERE job_id = id AND final_state = 'cancelled')) v(s)
$$;

-- Does what causes an event to job n of queue qn; an error counts as nothing done.
CREATE FUNCTION pg_temp.fire(n int, p_event text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_queue jsonb := jsonb_build_object('queue', 'q' || n);
BEGIN
    CASE p_event
    WHEN 'submit' THEN PERFORM pg_temp.submit(n, v_queue);
    WHEN 'hold' THEN PERFORM pg_temp.submit(n, v_queue || '{"hold": true}');
    WHEN 'ready' THEN PERFORM tfx.ready_job(pg_temp.id(n));
    WHEN 'claim' THEN PERFORM pg_temp.claim('a' || n, ARRAY['q' || n], n);
    WHEN 'cancel' THEN PERFORM api.cancel_job(pg_temp.id(n), NULL);
    WHEN 'backoff' THEN
        UPDATE tf.job SET retry_max = 1, retry_on = '{agent_lost}', retry_backoff_s = 60 WHERE id = pg_temp.id(n);
        PERFORM pg_temp.fire(n, 'retry');
    WHEN 'expire' THEN
        INSERT INTO tf.deadline VALUES (pg_temp.id(n), now(), 1, now());
        PERFORM tfx.expire_jobs(9);
    WHEN 'confirm' THEN PERFORM api.read_result(pg_temp.id(n), 'a' || n, NULL);
    WHEN 'complete' THEN PERFORM pg_temp.post(n, 'complete', 'a' || n);
    WHEN 'return' THEN PERFORM api.return_claim(pg_temp.id(n), pg_temp.id(900 + n)::text);
    WHEN 'undelivered' THEN
        PERFORM pg_temp.age(n, '2 min'), tfx.reap_leases(9);
    WHEN 'retry' THEN
        PERFORM pg_temp.post(n, 'setup', 'a' || n), pg_temp.age(n, '2 h'), tfx.reap_leases(9);
    WHEN 'lose' THEN
        PERFORM pg_temp.post(n, 'test', 'a' || n), pg_temp.age(n, '2 h'), tfx.reap_leases(9);
    END CASE;
    RETURN 'done';
EXCEPTION
    WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;

CREATE TEMPORARY TABLE history (state text, events text[]);
INSERT INTO history VALUES ('new', '{}'), ('held', '{hold}'), ('waiting', '{submit}'), ('running', '{submit,claim}'),
    ('cancelling', '{submit,claim,cancel}'), ('complete', '{submit,claim,complete}'), ('cancelled', '{submit,cancel}');
CREATE TEMPORARY TABLE trial AS
    SELECT row_number() OVER ()::int AS n, h.state, h.events, e.event, t.to_state
    FROM history h
    CROSS JOIN (SELECT DISTINCT event FROM tf.transition) e
    LEFT JOIN tf.transition t ON t.from_state = h.state AND t.event = e.event;

-- the guard
SELECT is(tfx.record_event(pg_temp.id(800), 1, state, event, NULL, NULL), to_state,
    format('guard: %s on %s leads to %s', event, state, to_state)) FROM trial WHERE to_state IS NOT NULL;
SELECT throws_ok(format('SELECT tfx.record_event(pg_temp.id(800), 1, %L, %L, NULL, NULL)', state, event), 'TF409', NULL,
    format('guard: %s on %s is refused', event, state)) FROM trial WHERE to_state IS NULL;

-- the functions; late_result is the same post as complete, for a job that is given up
CREATE FUNCTION pg_temp.try(n int, p_events text[], p_event text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_event text;
BEGIN
    FOREACH v_event IN ARRAY p_events LOOP
        PERFORM pg_temp.fire(n, v_event);
    END LOOP;
    PERFORM pg_temp.fire(n, p_event);
    RETURN pg_temp.place(n);
END
$$;
SELECT is(pg_temp.try(n, events, event), coalesce(to_state, state),
    format('functions: %s on %s leads to %s', event, state, coalesce(to_state, state)))
FROM trial WHERE event <> 'late_result'
    AND NOT (state = 'cancelling' AND event IN ('retry', 'backoff'))  -- its agent can only be lost
ORDER BY n;

-- what was written down is what is allowed
SELECT is_empty($$ SELECT e.* FROM tf.event e LEFT JOIN tf.transition t USING (from_state, event)
    WHERE t.to_state IS DISTINCT FROM e.to_state $$, 'every event on record is in the table');
SELECT is_empty($$ SELECT job_id FROM (
        SELECT job_id, to_state, lead(from_state) OVER (PARTITION BY job_id ORDER BY id) AS next FROM tf.event
        WHERE job_id <> pg_temp.id(800)) e WHERE next <> to_state $$, 'and each goes on where the one before ended');
\ir lib/end.psql
