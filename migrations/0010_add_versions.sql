-- SPDX-License-Identifier: GPL-3.0-or-later
-- Counts the changes of what an attempt left behind, so that who polls a result can be told that
-- nothing is new without looking at it.  Each fragment of a log is a change: room for the row's next
-- version on its own page keeps these updates off the index.

ALTER TABLE tf.attempt ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE tf.attempt SET (fillfactor = 70);
COMMENT ON COLUMN tf.attempt.version IS 'number of posts of results and logs that changed something';
