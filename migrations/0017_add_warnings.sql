-- SPDX-License-Identifier: GPL-3.0-or-later
ALTER TABLE tf.task ADD COLUMN warned_at timestamptz;
COMMENT ON COLUMN tf.task.warned_at IS 'when it last said what an operator should look at';
