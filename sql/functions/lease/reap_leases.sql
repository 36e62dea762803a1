-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends at most p_limit leases whose time is over by the database's clock.  reason: what became of each
-- (tfx.lose_lease); failed: its end could not be written, it is tried again in a minute; braked: it
-- would be one lost agent too many in this minute (told once a minute).  shifted: an outage was noticed.
CREATE FUNCTION tfx.reap_leases(p_limit int) RETURNS TABLE (job_id text, reason text)
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_lease tf.lease;
    v_lost bigint := 0;
    v_brake bigint;
BEGIN
    IF tfx.shift_leases() THEN
        RETURN QUERY SELECT NULL::text, 'shifted';
    END IF;
    v_brake := tfx.find_brake();
    FOR v_lease IN
        SELECT * FROM tfx.find_dead_leases(true, least(v_brake, p_limit))
    LOOP
        v_lost := v_lost + 1;
        RETURN QUERY SELECT v_lease.job_id::text, tfx.end_lease(v_lease);
    END LOOP;
    FOR v_lease IN SELECT * FROM tfx.find_dead_leases(false, p_limit - v_lost) LOOP
        RETURN QUERY SELECT v_lease.job_id::text, tfx.end_lease(v_lease);
    END LOOP;
    IF v_lost > 0 THEN
        UPDATE tf.reaper r
        SET lost_at = ARRAY(SELECT o.at FROM unnest(r.lost_at) o(at)
                            WHERE o.at BETWEEN now() - interval '1 min' AND now())
                      || array_fill(now(), ARRAY[v_lost::int]);
    END IF;
    IF v_lost = v_brake THEN
        RETURN QUERY SELECT b.job_id::text, 'braked' FROM tfx.tell_braked(p_limit) b;
    END IF;
END
$$;
