-- SPDX-License-Identifier: GPL-3.0-or-later
-- The exit codes that were posted for an attempt (JSON text); NULL: none were.  By itself, and of the
-- caller's snapshot: a plan with a partitioned table in it is made anew at each call, so it had better
-- be a small one.
CREATE FUNCTION tfx.find_status(p_week date, p_id uuid, p_attempt int) RETURNS text
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_status text;
BEGIN
    SELECT r.status INTO v_status FROM tf.result r
    WHERE r.week = p_week AND r.job_id = p_id AND r.attempt = p_attempt;
    RETURN v_status;
END
$$;
