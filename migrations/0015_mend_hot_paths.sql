-- SPDX-License-Identifier: GPL-3.0-or-later
-- Uploads nobody finished and refresh tokens nobody uses are found by their age.
CREATE INDEX file_unfinished ON tf.file (created_at) WHERE state = 'open';
CREATE INDEX file_replaced ON tf.file (ended_at) WHERE state = 'replaced';
CREATE INDEX refresh_token_by_use ON tf.refresh_token (last_used);
