-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whoever looks for dead leases calls this first, in the same transaction.  If nobody looked for a while,
-- if the clock was put back, or if this is another life of the database than last time, nobody may
-- have been able to renew: every lease is moved by the time that went by unseen, and lives for a
-- while yet.  Returns whether that was so.
CREATE FUNCTION tfx.shift_leases() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_last tf.reaper;
    v_now timestamptz;
    v_timeline int := (SELECT c.timeline_id FROM pg_control_checkpoint() c);
    v_gap interval;
    v_outage boolean;
BEGIN
    SELECT * INTO v_last FROM tf.reaper FOR UPDATE;
    v_now := clock_timestamp(); -- not before: whoever held the row may have looked since
    v_gap := coalesce(v_now - v_last.last_run, '0');
    v_outage := v_last.last_run IS NULL OR v_last.started_at <> pg_postmaster_start_time()
        OR v_last.timeline <> v_timeline
        OR v_gap NOT BETWEEN '0' AND make_interval(secs => tfx.find_rule('outage_gap_s'));
    IF v_outage THEN
        PERFORM FROM tf.lease l ORDER BY l.job_id FOR UPDATE;
        UPDATE tf.lease l
        SET lease_until = greatest(l.lease_until + v_gap,
                v_now + make_interval(secs => tfx.find_rule('outage_grace_s')))
        WHERE isfinite(l.lease_until);
    END IF;
    UPDATE tf.reaper r
    SET last_run = v_now, started_at = pg_postmaster_start_time(), timeline = v_timeline;
    RETURN v_outage;
END
$$;
