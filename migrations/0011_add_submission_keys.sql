-- SPDX-License-Identifier: GPL-3.0-or-later
-- Submissions that were sent with a key of the client's, so that they can be sent again without making
-- a second job.  Kept for a day.

CREATE TABLE tf.submission_key (
    submitter  text COLLATE "C",
    key        text COLLATE "C" NOT NULL,
    sha256     bytea NOT NULL,
    job_id     uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_submission_for_each_key UNIQUE NULLS NOT DISTINCT (submitter, key)
);
CREATE INDEX submission_key_by_age ON tf.submission_key (created_at);
COMMENT ON COLUMN tf.submission_key.submitter IS 'client id, NULL for an anonymous caller';
COMMENT ON COLUMN tf.submission_key.sha256 IS 'of the whole body in canonical form: is it the same again?';
