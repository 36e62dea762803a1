-- SPDX-License-Identifier: GPL-3.0-or-later
-- A post changed what an attempt left behind.  Called last: the row of the lease is locked before
-- that of the attempt everywhere.  Not in SQL, which would be parsed and planned at each call.
CREATE FUNCTION tfx.count_change(p_id uuid, p_attempt int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tf.attempt a SET version = a.version + 1 WHERE a.job_id = p_id AND a.attempt = p_attempt;
END
$$;
