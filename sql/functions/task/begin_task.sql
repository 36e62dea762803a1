-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether the caller is to do this piece of periodic work now: nobody else is at it (until the end
-- of the transaction nobody will be), and it was not done within p_every_ms, by any server.
-- A last run in the future counts as none: the clock was put back.
CREATE FUNCTION tfx.begin_task(p_task text, p_every_ms bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    -- Servers look at their own clocks: a little early is due too.
    v_before timestamptz := clock_timestamp() - make_interval(secs => p_every_ms * 0.9 / 1000);
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('testflinger task'), hashtext(p_task)) THEN
        RETURN false;
    END IF;
    INSERT INTO tf.task AS t (name, last_run) VALUES (p_task, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET last_run = EXCLUDED.last_run
    WHERE t.last_run <= v_before OR t.last_run > EXCLUDED.last_run;
    RETURN FOUND;
END
$$;
