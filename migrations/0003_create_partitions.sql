-- SPDX-License-Identifier: GPL-3.0-or-later
-- The big things, kept for weeks and dropped a week at a time.  Every row and every statement
-- names the week (a Monday): reads by job id alone would visit every partition.  The DEFAULT
-- partitions catch what finds no week; tfx.make_partitions() makes the coming ones.

CREATE TABLE tf.definition (
    week   date NOT NULL,
    job_id uuid NOT NULL,
    body   text COMPRESSION lz4 NOT NULL,
    PRIMARY KEY (week, job_id)
) PARTITION BY RANGE (week);
COMMENT ON COLUMN tf.definition.body IS 'a JSON object as text, without job_id; never opened by SQL';

-- Text cannot hold U+0000, so log data are bytes.
CREATE TABLE tf.log (
    week    date NOT NULL,
    job_id  uuid NOT NULL,
    attempt int NOT NULL,
    type    tf.log_type NOT NULL,
    phase   tf.phase_name NOT NULL,
    number  bigint NOT NULL,
    sha256  bytea NOT NULL,
    seq     bigint NOT NULL,
    at      timestamptz NOT NULL,
    data    bytea COMPRESSION lz4 NOT NULL,
    PRIMARY KEY (week, job_id, attempt, type, phase, number, sha256)
) PARTITION BY RANGE (week);
COMMENT ON COLUMN tf.log.sha256 IS 'of data: the same fragment posted again is stored once';
COMMENT ON COLUMN tf.log.seq IS 'order of arrival, for different texts under one number';
CREATE SEQUENCE tf.log_seq AS bigint CACHE 1;

-- What the agent posted last: each key replaces the one before as a whole.
CREATE TABLE tf.result (
    week        date NOT NULL,
    job_id      uuid NOT NULL,
    attempt     int NOT NULL,
    status      text COMPRESSION lz4,
    device_info text COMPRESSION lz4,
    PRIMARY KEY (week, job_id, attempt)
) PARTITION BY RANGE (week) ;

CREATE TABLE tf.file (
    week       date NOT NULL,
    id         uuid NOT NULL,
    job_id     uuid NOT NULL,
    attempt    int NOT NULL,
    kind       tf.file_kind NOT NULL,
    state      text NOT NULL DEFAULT 'open',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    size       bigint,
    sha256     bytea,
    chunks     int,
    PRIMARY KEY (week, id),
    CONSTRAINT state_is_known CHECK (state IN ('open', 'complete', 'replaced'))
) PARTITION BY RANGE (week);
CREATE INDEX file_by_job ON tf.file (week, job_id, kind, attempt);

-- At most 256 KiB each; not compressed again, bundles are.
CREATE TABLE tf.chunk (
    week    date NOT NULL,
    file_id uuid NOT NULL,
    number  int NOT NULL,
    data    bytea NOT NULL,
    PRIMARY KEY (week, file_id, number)
) PARTITION BY RANGE (week);
ALTER TABLE tf.chunk ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE tf.definition_default PARTITION OF tf.definition DEFAULT;
CREATE TABLE tf.log_default PARTITION OF tf.log DEFAULT;
CREATE TABLE tf.result_default PARTITION OF tf.result DEFAULT;
CREATE TABLE tf.file_default PARTITION OF tf.file DEFAULT;
CREATE TABLE tf.chunk_default PARTITION OF tf.chunk DEFAULT;
