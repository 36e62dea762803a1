-- SPDX-License-Identifier: GPL-3.0-or-later
-- What agents that left a job, uploads nobody finished, refresh tokens nobody uses and posts about
-- jobs that are not ours need to be found or remembered by.

ALTER TABLE tf.lease ADD COLUMN left_at timestamptz;
COMMENT ON COLUMN tf.lease.left_at IS
    'its agent, which has no leases, claimed again: what is left of this one is not renewed';

CREATE INDEX file_unfinished ON tf.file (created_at) WHERE state = 'open';
CREATE INDEX file_replaced ON tf.file (ended_at) WHERE state = 'replaced';
CREATE INDEX refresh_token_by_use ON tf.refresh_token (last_used);

-- Ids somebody posted about that were no jobs then.
CREATE TABLE tf.stray (
    job_id uuid PRIMARY KEY,
    since  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stray_by_age ON tf.stray (since);
INSERT INTO tf.stray (job_id, since)
SELECT a.job_id, a.claimed_at FROM tf.attempt a
WHERE a.attempt = 0 AND NOT EXISTS (SELECT FROM tf.job j WHERE j.id = a.job_id);
