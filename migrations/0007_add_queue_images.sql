-- SPDX-License-Identifier: GPL-3.0-or-later
-- The images known for an advertised queue: {name: what a job's provision_data says for it}.  json,
-- not jsonb: they are shown in the order in which they were posted.
ALTER TABLE tf.advertised_queue ADD COLUMN images json NOT NULL DEFAULT '{}';
