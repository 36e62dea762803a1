-- SPDX-License-Identifier: GPL-3.0-or-later
-- Jobs: three hot, narrow tables that the claim path touches, and what is kept for years.
-- Exactly one of tf.hold, tf.wait, tf.lease has a row for a living job, none for an ended one.
-- Lock order everywhere: that row first, then tf.job; several rows in job_id order.

CREATE SEQUENCE tf.job_seq AS bigint CACHE 1;

-- Written twice: at submission and at the end.  Clients may bring ids, so it is not partitioned.
CREATE TABLE tf.job (
    id             uuid PRIMARY KEY,
    seq            bigint NOT NULL DEFAULT nextval('tf.job_seq'),
    week           date NOT NULL,
    queue          text COLLATE "C" NOT NULL,
    priority       bigint NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    submitter      text COLLATE "C",
    parent         text,
    name           text,
    exclude_agents text[] COLLATE "C",
    attachments    boolean NOT NULL,
    secrets        boolean NOT NULL,
    global_timeout bigint,
    sha256         bytea NOT NULL,
    -- from here on NULL until the end
    final_state    text,
    outcome        text,
    agent          text COLLATE "C",
    started_at     timestamptz,
    finished_at    timestamptz,
    attempts       int,
    exit_codes     jsonb,
    CONSTRAINT outcome_is_known CHECK (outcome IN
        ('passed', 'failed', 'infra_failed', 'timed_out', 'cancelled', 'agent_lost', 'expired')),
    CONSTRAINT final_state_is_final CHECK (final_state IN ('complete', 'completed', 'cancelled')),
    CONSTRAINT ended_as_a_whole CHECK (
        (final_state IS NULL) = (outcome IS NULL) AND (final_state IS NULL) = (finished_at IS NULL))
) WITH (fillfactor = 90);
COMMENT ON COLUMN tf.job.week IS 'Monday of the week of submission: the partition of the definition';
COMMENT ON COLUMN tf.job.sha256 IS 'of the definition in canonical form: is it the same again?';
COMMENT ON COLUMN tf.job.submitter IS 'client id, NULL for an anonymous caller';
-- Lists go through (x, seq): a cursor is a seq.
CREATE UNIQUE INDEX job_by_queue ON tf.job (queue, seq);
CREATE INDEX job_by_submitter ON tf.job (submitter, seq) WHERE submitter IS NOT NULL;
CREATE INDEX job_by_agent ON tf.job (agent, seq) WHERE agent IS NOT NULL;

CREATE TABLE tf.job_tag (
    tag    text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    job_id uuid NOT NULL,
    PRIMARY KEY (tag, seq)
);

-- Jobs that can be claimed now, in the order in which they are handed out.
CREATE TABLE tf.wait (
    queue          text COLLATE "C" NOT NULL,
    nprio          bigint NOT NULL,
    seq            bigint NOT NULL,
    job_id         uuid NOT NULL,
    week           date NOT NULL,
    attempt        int NOT NULL DEFAULT 0,
    lost           int NOT NULL DEFAULT 0,
    since          timestamptz NOT NULL DEFAULT now(),
    exclude_agents text[] COLLATE "C",
    job_state      text,
    PRIMARY KEY (queue, nprio, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
        vacuum_truncate = off);
COMMENT ON COLUMN tf.wait.nprio IS 'the negated priority, so that ascending order is the order of claims';
COMMENT ON COLUMN tf.wait.attempt IS 'number of the last attempt; the next claim makes the next';
COMMENT ON COLUMN tf.wait.lost IS 'attempts that ended with a lost agent';
COMMENT ON COLUMN tf.wait.job_state IS 'a state posted before the first claim, NULL for waiting';

-- Running jobs and the state of living jobs.  No index on lease_until: renewals stay HOT.
CREATE TABLE tf.lease (
    job_id         uuid PRIMARY KEY,
    queue          text COLLATE "C" NOT NULL,
    nprio          bigint NOT NULL,
    seq            bigint NOT NULL,
    week           date NOT NULL,
    attempt_week   date NOT NULL,
    attempt        int NOT NULL,
    lost           int NOT NULL,
    agent          text COLLATE "C" NOT NULL,
    token          uuid NOT NULL,
    boot           text,
    lease_s        int,
    claimed_at     timestamptz NOT NULL,
    offered_at     timestamptz NOT NULL,
    confirmed      timestamptz,
    lease_until    timestamptz NOT NULL,
    job_state      text NOT NULL DEFAULT 'running',
    exclude_agents text[] COLLATE "C"
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
CREATE INDEX lease_by_agent ON tf.lease (agent);
COMMENT ON COLUMN tf.lease.lease_s IS 'seconds asked for with lease=; NULL: an agent without leases';
COMMENT ON COLUMN tf.lease.offered_at IS 'when the answer to the claim was last made';
COMMENT ON COLUMN tf.lease.confirmed IS 'first request of the agent about the job; NULL: not delivered yet';
COMMENT ON COLUMN tf.lease.attempt_week IS 'Monday of the week of the claim: the partition of logs and files';

-- Waiting for attachments: counts in positions and enters tf.wait at its own place.
CREATE TABLE tf.hold (
    job_id         uuid PRIMARY KEY,
    queue          text COLLATE "C" NOT NULL,
    nprio          bigint NOT NULL,
    seq            bigint NOT NULL,
    week           date NOT NULL,
    attempt        int NOT NULL DEFAULT 0,
    lost           int NOT NULL DEFAULT 0,
    since          timestamptz NOT NULL DEFAULT now(),
    why            text NOT NULL,
    exclude_agents text[] COLLATE "C",
    job_state      text,
    CONSTRAINT why_is_known CHECK (why IN ('attachments'))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
CREATE INDEX hold_by_place ON tf.hold (queue, nprio, seq);

-- One row per claim; attempt 0 is what arrived before the first claim, or for a job we never had.
CREATE TABLE tf.attempt (
    job_id        uuid NOT NULL,
    attempt       int NOT NULL,
    week          date NOT NULL,
    agent         text COLLATE "C",
    token         uuid,
    boot          text,
    claimed_at    timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    reason        text,
    first_number  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, attempt)
) WITH (fillfactor = 90);
COMMENT ON COLUMN tf.attempt.first_number IS
    'added to the numbers of its log fragments, so that they go on where the previous attempt stopped';
COMMENT ON COLUMN tf.attempt.reason IS
    'complete, cancelled, undelivered, returned or agent_lost; NULL while it runs';

CREATE TABLE tf.phase (
    job_id     uuid NOT NULL,
    attempt    int NOT NULL,
    phase      tf.phase_name NOT NULL,
    started_at timestamptz,
    ended_at   timestamptz,
    exit_code  bigint,
    PRIMARY KEY (job_id, attempt, phase)
) WITH (fillfactor = 80);

-- Every change of state, append only.
CREATE TABLE tf.event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id     uuid NOT NULL,
    attempt    int NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    event      text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    who        text,
    why        text
);
CREATE INDEX event_by_job ON tf.event (job_id, id);

-- How long jobs waited, by queue, taken at their first claim.
CREATE TABLE tf.wait_sample (
    queue   text COLLATE "C" NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    seconds double precision NOT NULL
);
CREATE INDEX wait_sample_by_queue ON tf.wait_sample (queue, at);

-- Jobs and reservations submitted, claims and jobs ended, by queue, for the metrics.  Spread over
-- shards: one row per queue would make all changes in it wait for each other's commit.
CREATE TABLE tf.queue_count (
    queue        text COLLATE "C" NOT NULL,
    shard        int NOT NULL,
    jobs         bigint NOT NULL DEFAULT 0,
    reservations bigint NOT NULL DEFAULT 0,
    claimed      bigint NOT NULL DEFAULT 0,
    finished     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (queue, shard)
) WITH (fillfactor = 50);
