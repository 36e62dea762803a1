-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an agent that asks again says about the leases it holds.
--   * Never heard of since it was offered a while ago (offer_again_s): the answer was lost.  It gets the
--     same job and attempt again under the new token (a row in the result).
--   * Another boot id: the agent restarted and its job is gone; the lease ends now.  If it was never
--     confirmed nothing ran: that does not count as lost (tfx.lose_lease).
--   * Confirmed, without a lease of its own: it left that job, whose result may still be spooled
--     (left_job_s).  Nothing renews that lease any more.
-- Rows somebody else is changing are left alone.
CREATE FUNCTION tfx.offer_again(p_requests jsonb, p_free boolean[])
RETURNS TABLE (number int, job_id uuid)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v record;
    v_lost_s int := tfx.find_rule('offer_again_s');
    v_left interval := make_interval(secs => tfx.find_rule('left_job_s'));
BEGIN
    FOR v IN
        SELECT r.n::int AS number, r.j, l.job_id, l.attempt, l.boot, l.lease_s, l.confirmed, l.left_at,
               l.confirmed IS NULL AND l.job_state <> 'cancelled'
                   AND l.offered_at <= now() - make_interval(secs => v_lost_s)
                   AND r.j -> 'queues' ? l.queue AS lost_answer
        FROM jsonb_array_elements(p_requests) WITH ORDINALITY r(j, n)
        JOIN tf.lease l ON l.agent = r.j ->> 'agent'
        WHERE p_free[r.n]
        ORDER BY l.job_id
        FOR UPDATE OF l SKIP LOCKED
    LOOP
        IF v.boot <> v.j ->> 'boot' THEN
            UPDATE tf.lease l SET lease_until = '-infinity' WHERE l.job_id = v.job_id;
        ELSIF v.lost_answer AND p_free[v.number] THEN
            PERFORM tfx.renew_offer(v.job_id, v.attempt, v.j);
            p_free[v.number] := false;
            RETURN QUERY SELECT v.number, v.job_id;
        ELSIF v.confirmed IS NOT NULL AND v.lease_s IS NULL AND v.left_at IS NULL THEN
            UPDATE tf.lease l SET left_at = now(), lease_until = least(l.lease_until, now() + v_left)
            WHERE l.job_id = v.job_id;
        END IF;
    END LOOP;
END
$$;
