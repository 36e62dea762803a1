-- SPDX-License-Identifier: GPL-3.0-or-later
-- A grown database: :waiting jobs in 50 queues and :finished ended ones, as the functions would have
-- left them (tests compare).  Indexes of the large tables are made after their rows.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
SET max_parallel_maintenance_workers = 0;

-- Jobs arrive over the last weeks; their definitions are of this week, because other weeks have
-- no partition here.
CREATE TEMPORARY TABLE planned AS
    SELECT n AS seq, ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
           'queue' || n % 50 AS queue, n % 3 AS priority, tfx.find_week(now()) AS week,
           now() - make_interval(secs => (:waiting + :finished - n) * 5) AS created_at,
           n <= :finished AS ended
    FROM generate_series(1, :waiting + :finished) n;

CREATE TEMPORARY TABLE dropped AS
    SELECT indexrelid::regclass::text AS name, indrelid::regclass::text AS of, pg_get_indexdef(indexrelid) AS def,
           conname
    FROM pg_index LEFT JOIN pg_constraint c ON c.conindid = indexrelid
    WHERE indrelid IN ('tf.job'::regclass, 'tf.job_tag'::regclass, 'tf.attempt'::regclass, 'tf.event'::regclass);
SELECT CASE WHEN conname IS NULL THEN format('DROP INDEX %s', name)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', of, conname) END FROM dropped \gexec

INSERT INTO tf.job (id, seq, week, queue, priority, created_at, attachments, secrets, sha256, final_state,
                    outcome, agent, started_at, finished_at, attempts, exit_codes)
SELECT id, seq, week, queue, priority, created_at, false, false, '\x00', v.final_state, v.outcome, v.agent,
       v.started_at, v.finished_at, v.attempts, v.exit_codes
FROM planned
LEFT JOIN LATERAL (SELECT 'complete' AS final_state, 'passed' AS outcome, 'agent' || seq % 100 AS agent,
                          created_at + interval '1 min' AS started_at,
                          created_at + interval '9 min' AS finished_at, 1 AS attempts,
                          '{"setup": 0, "test": 0}'::jsonb AS exit_codes) v ON ended;
INSERT INTO tf.attempt (job_id, attempt, week, agent, token, claimed_at, ended_at, reason)
SELECT id, 1, week, 'agent' || seq % 100, id, created_at, created_at, 'complete' FROM planned WHERE ended;
INSERT INTO tf.event (job_id, attempt, at, event, from_state, to_state)
SELECT id, 0, created_at, 'submit', 'new', 'waiting' FROM planned WHERE NOT ended;
INSERT INTO tf.wait (queue, nprio, seq, job_id, week, since)
SELECT queue, -priority, seq, id, week, created_at FROM planned WHERE NOT ended;
INSERT INTO tf.definition (week, job_id, body)
SELECT week, id, '{"job_queue": "' || queue || '"}' FROM planned WHERE NOT ended;
INSERT INTO tf.job_tag (tag, seq, job_id) SELECT 'tag' || seq % 10, seq, id FROM planned;
INSERT INTO tf.job_tag (tag, seq, job_id) SELECT 'even', seq, id FROM planned WHERE seq % 2 = 0;
SELECT setval('tf.job_seq', :waiting + :finished) \g /dev/null

SELECT CASE WHEN conname IS NULL THEN def
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY %s', of, conname,
                        substring(def FROM '\(.*\)$')) END FROM dropped \gexec
VACUUM ANALYZE;
