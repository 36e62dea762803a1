-- SPDX-License-Identifier: GPL-3.0-or-later
-- Nobody asks for an event by its number alone: event_by_job finds those of a job, in their order.  A
-- second index is written with every change of state, and kept for years.  Numbers are the table's own
-- (GENERATED ALWAYS), nobody else can give one twice.  (job_id, id) does not become the primary key
-- instead: its index would have to be made anew, for all the years.
ALTER TABLE tf.event DROP CONSTRAINT event_pkey;
