-- SPDX-License-Identifier: GPL-3.0-or-later
-- The words of the field as types, the published schema version and the life of a job as data.

-- In the order in which an agent runs them; common/names.def has the same list (a test compares).
CREATE TYPE tf.phase_name AS ENUM
    ('setup', 'provision', 'firmware_update', 'test', 'allocate', 'reserve', 'cleanup');
-- Lowest first: roles are compared with < and >.
CREATE TYPE tf.role_name AS ENUM ('agent', 'contributor', 'manager', 'admin');
CREATE TYPE tf.log_type AS ENUM ('output', 'serial');
CREATE TYPE tf.file_kind AS ENUM ('attachments', 'artifact');

-- One row: this schema, and the oldest server that works with it.
CREATE TABLE tf.schema_version (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version       int NOT NULL,
    oldest_server int NOT NULL,
    CONSTRAINT oldest_server_is_not_newer CHECK (oldest_server <= version)
);
INSERT INTO tf.schema_version (version, oldest_server) VALUES (1, 1);

-- Every allowed change of a job's state; what has no row is refused.  docs/states.md explains.
CREATE TABLE tf.transition (
    from_state text NOT NULL,
    event      text NOT NULL,
    to_state   text NOT NULL,
    meaning    text NOT NULL,
    PRIMARY KEY (from_state, event)
);
INSERT INTO tf.transition (from_state, event, to_state, meaning) VALUES
    ('new',      'submit',      'waiting',   'can be claimed at once'),
    ('new',      'hold',        'held',      'waits for its attachments'),
    ('held',     'ready',       'waiting',   'the attachments have arrived'),
    ('held',     'cancel',      'cancelled', 'somebody does not want it any more'),
    ('held',     'complete',    'complete',  'an agent posted the end of a job nobody had claimed'),
    ('waiting',  'claim',       'running',   'an agent took it'),
    ('waiting',  'cancel',      'cancelled', 'somebody does not want it any more'),
    ('waiting',  'complete',    'complete',  'the end came from an agent that had been given up'),
    ('running',  'complete',    'complete',  'the agent posted the end'),
    ('running',  'cancel',      'cancelled', 'somebody does not want it any more'),
    ('running',  'undelivered', 'waiting',   'the agent never asked about it: nothing ran'),
    ('running',  'return',      'waiting',   'the answer to the claim could not be sent'),
    ('running',  'retry',       'waiting',   'the agent was lost early: another one may try'),
    ('running',  'lose',        'complete',  'the agent was lost and the job is not tried again'),
    ('complete', 'late_result', 'complete',  'the lost agent posted its outcome after all');

-- How long a claim without a lease of its own lives after each sign of life, by what it is doing.
-- Agents of today are silent for a whole provision and during the last upload.
CREATE TABLE tf.phase_lease (
    doing     text PRIMARY KEY,
    seconds   int NOT NULL CHECK (seconds > 0),
    capped_by text,
    CONSTRAINT capped_by_is_known CHECK (capped_by IN ('global_timeout'))
);
COMMENT ON COLUMN tf.phase_lease.capped_by IS
    'the job''s own limit, plus ten minutes, when that is shorter';
INSERT INTO tf.phase_lease (doing, seconds, capped_by) VALUES
    ('running', 120, NULL), ('setup', 120, NULL), ('firmware_update', 120, NULL),
    ('test', 120, NULL), ('reserve', 120, NULL), ('allocate', 300, NULL), ('allocated', 300, NULL),
    ('provision', 15000, 'global_timeout'), ('cleanup', 1800, NULL);
