-- SPDX-License-Identifier: GPL-3.0-or-later
-- When each piece of periodic work was last done, by whichever server.
CREATE TABLE tf.task (
    name     text COLLATE "C" PRIMARY KEY,
    last_run timestamptz NOT NULL
) WITH (fillfactor = 50);
