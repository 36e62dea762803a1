-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the end of a lease follows, as numbers an operator can change; the memory of whoever ends them;
-- jobs that were cancelled while an agent has them; children of jobs.

CREATE TABLE tf.lease_rule (
    name    text PRIMARY KEY,
    value   int NOT NULL,
    least   int NOT NULL,
    most    int NOT NULL,
    meaning text NOT NULL,
    CONSTRAINT value_is_sane CHECK (value BETWEEN least AND most)
);
INSERT INTO tf.lease_rule (name, value, least, most, meaning) VALUES
    ('undelivered_s', 60, 1, 3600, 'a claim its agent never asks about comes back after so long'),
    ('offer_again_s', 15, 0, 3600, 'an agent that claims anew gets such a job again after so long'),
    ('left_job_s', 1800, 1, 86400, 'time left to a job whose agent, without leases, claims another'),
    ('outage_gap_s', 15, 6, 3600, 'nobody looked for so long: there was an outage'),
    ('outage_grace_s', 120, 1, 86400, 'after an outage every lease lives so long at least'),
    ('brake_percent', 10, 1, 100, 'part of the leases that may be lost within a minute'),
    ('brake_least', 5, 1, 1000000, 'so many may be lost within a minute in any case'),
    ('late_result_s', 86400, 0, 2592000, 'the outcome of a lost agent still counts for so long');

INSERT INTO tf.phase_lease (doing, seconds, capped_by) VALUES
    ('attachments', 1800, NULL), ('cancelled', 1800, NULL), ('other', 1800, NULL);

-- One row: when leases were last looked at, by which life of the database, and when leases were
-- lost within the last minute.
CREATE TABLE tf.reaper (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_run   timestamptz,
    started_at timestamptz,
    timeline   int,
    lost_at    timestamptz[] NOT NULL DEFAULT '{}',
    alarmed_at timestamptz
) WITH (fillfactor = 50);
INSERT INTO tf.reaper DEFAULT VALUES;
COMMENT ON COLUMN tf.reaper.started_at IS 'when the postmaster of that run was started';

-- A job that is cancelled while an agent has it is over for its clients at once; its lease stays, as
-- cancelling, until the agent knows.
INSERT INTO tf.transition (from_state, event, to_state, meaning) VALUES
    ('running',    'cancel',      'cancelling', 'somebody does not want it any more'),
    ('cancelling', 'confirm',     'cancelled', 'the agent has read it'),
    ('cancelling', 'complete',    'cancelled', 'the agent posted the end'),
    ('cancelling', 'lose',        'cancelled', 'the agent was lost'),
    ('cancelling', 'undelivered', 'cancelled', 'the agent never asked about it'),
    ('cancelling', 'return',      'cancelled', 'the answer to the claim could not be sent')
ON CONFLICT (from_state, event) DO UPDATE SET to_state = EXCLUDED.to_state;
COMMENT ON COLUMN tf.lease.job_state IS
    'cancelled: the job has ended, its agent does not know yet; an agent cannot post that';
COMMENT ON COLUMN tf.lease.lease_until IS '-infinity: given up by the agent itself';

ALTER TABLE tf.job ADD COLUMN parent_id uuid;
COMMENT ON COLUMN tf.job.parent_id IS 'parent, if it is an id';
UPDATE tf.job SET parent_id = parent::uuid
WHERE final_state IS NULL AND parent ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
CREATE INDEX job_living_child ON tf.job (parent_id, id)
    WHERE parent_id IS NOT NULL AND final_state IS NULL;
