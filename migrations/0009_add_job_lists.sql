-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lists of jobs of all queues, by number: all of them, and the unfinished ones.
CREATE UNIQUE INDEX job_by_seq ON tf.job (seq);
CREATE INDEX job_unfinished ON tf.job (seq) WHERE final_state IS NULL;
