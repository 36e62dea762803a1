-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a job wants to happen when an attempt fails, and how long it wants to wait; what an operator
-- allows on a queue.

ALTER TABLE tf.job ADD COLUMN retry_max int, ADD COLUMN retry_on text[] COLLATE "C",
    ADD COLUMN retry_elsewhere boolean, ADD COLUMN retry_backoff_s int;
COMMENT ON COLUMN tf.job.retry_max IS 'NULL: the job says nothing, the server''s rule applies';
COMMENT ON COLUMN tf.job.retry_on IS 'agent_lost, outcomes, phases that fail';
COMMENT ON COLUMN tf.wait.lost IS 'attempts that were followed by another because of the retry policy';

-- Attempts that failed and are tried again may have to wait for a while.
ALTER TABLE tf.hold ADD COLUMN not_before timestamptz;
ALTER TABLE tf.hold DROP CONSTRAINT why_is_known;
ALTER TABLE tf.hold ADD CONSTRAINT why_is_known CHECK (why IN ('attachments', 'backoff')),
    ADD CONSTRAINT backoff_has_an_end CHECK ((why = 'backoff') = (not_before IS NOT NULL));

ALTER TABLE tf.attempt ADD COLUMN stop_reason text
    CONSTRAINT stop_reason_is_known CHECK (stop_reason IN ('global_timeout', 'output_timeout'));
COMMENT ON COLUMN tf.attempt.stop_reason IS 'what its agent says it stopped a phase for';
COMMENT ON COLUMN tf.attempt.reason IS
    'complete, cancelled, undelivered, returned, agent_lost or retried; NULL while it runs';

-- Jobs that do not want to wait for ever: since is when they began to.
CREATE TABLE tf.deadline (
    job_id  uuid PRIMARY KEY,
    since   timestamptz NOT NULL,
    seconds bigint NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX deadline_by_time ON tf.deadline (at);

-- A queue without a row has the defaults of the columns.
CREATE TABLE tf.queue_policy (
    queue        text COLLATE "C" PRIMARY KEY,
    retry        boolean NOT NULL DEFAULT true,
    stop_after_s int NOT NULL DEFAULT 3600 CONSTRAINT stop_after_is_sane CHECK (stop_after_s BETWEEN 60 AND 604800),
    lease_max_s  int CONSTRAINT lease_max_is_sane CHECK (lease_max_s BETWEEN 30 AND 3600)
);
COMMENT ON COLUMN tf.queue_policy.retry IS 'false: no job is tried again, whatever it wants';
COMMENT ON COLUMN tf.queue_policy.stop_after_s IS 'an agent that hears nothing from us for so long stops its job';
COMMENT ON COLUMN tf.queue_policy.lease_max_s IS 'the longest lease an agent gets, however long it asks for';

INSERT INTO tf.transition (from_state, event, to_state, meaning) VALUES
    ('running', 'retry',   'waiting',  'the attempt failed and another one may try'),
    ('running', 'backoff', 'held',     'the same, after a while'),
    ('waiting', 'expire',  'complete', 'it has waited for longer than it wants'),
    ('held',    'expire',  'complete', 'it has waited for longer than it wants')
ON CONFLICT (from_state, event) DO UPDATE SET to_state = EXCLUDED.to_state, meaning = EXCLUDED.meaning;
