-- SPDX-License-Identifier: GPL-3.0-or-later
-- The position of a job is counted in the index alone where VACUUM has been since the rows came: also
-- while many are submitted and few are claimed.
ALTER TABLE tf.wait SET (autovacuum_vacuum_insert_threshold = 20000, autovacuum_vacuum_insert_scale_factor = 0);
