-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an agent that asks again says about the leases it holds.
--   * Never heard of since it was offered a while ago (offer_again_s): the answer was lost.  It gets the
--     same job and attempt again under the new token (a row in the result).
--   * Another boot id: the agent restarted and its job is gone; the lease ends now.  If it was never
--     confirmed nothing ran: that does not count as lost (tfx.lose_lease).
--   * Confirmed, without a lease of its own: it left that job, whose result may still be spooled
--     (left_job_s).  Nothing renews that lease any more.
-- p_held: the jobs they hold.  Rows somebody else is changing are left alone.
CREATE FUNCTION tfx.offer_again(p_agents text[], p_tokens uuid[], p_leases int[], p_boots text[],
                                p_lists int[], p_queues text[], p_free boolean[], p_held uuid[])
RETURNS TABLE (number int, job_id uuid, week date)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v record;
    v_left interval;
BEGIN
    FOR v IN
        SELECT r.n AS number, l.job_id, l.week, l.attempt, l.boot, l.lease_s, l.confirmed, l.left_at,
               l.confirmed IS NULL AND l.job_state <> 'cancelled'
                   AND l.offered_at <= now() - make_interval(secs => (
                       SELECT u.value FROM tf.lease_rule u WHERE u.name = 'offer_again_s'))
                   AND l.queue = ANY (p_queues[p_lists[r.n]]::text[]) AS lost_answer
        FROM tf.lease l
        CROSS JOIN LATERAL (SELECT array_position(p_agents, l.agent COLLATE "C") AS n) r
        WHERE l.job_id = ANY (p_held) AND p_free[r.n]
        ORDER BY l.job_id
        FOR UPDATE OF l SKIP LOCKED
    LOOP
        IF v.boot <> p_boots[v.number] THEN
            UPDATE tf.lease l SET lease_until = '-infinity' WHERE l.job_id = v.job_id;
        ELSIF v.lost_answer AND p_free[v.number] THEN
            PERFORM tfx.renew_offer(v.job_id, v.attempt, p_tokens[v.number], p_boots[v.number],
                                    p_leases[v.number]);
            p_free[v.number] := false;
            RETURN QUERY SELECT v.number, v.job_id, v.week;
        ELSIF v.confirmed IS NOT NULL AND v.lease_s IS NULL AND v.left_at IS NULL THEN
            v_left := make_interval(secs => tfx.find_rule('left_job_s'));
            UPDATE tf.lease l SET left_at = now(), lease_until = least(l.lease_until, now() + v_left)
            WHERE l.job_id = v.job_id;
        END IF;
    END LOOP;
END
$$;
