-- SPDX-License-Identifier: GPL-3.0-or-later
-- tfx.touch_lease() for many, in the order of their jobs: of those that may need it, since a lease is
-- written at every third of its time only.  One that somebody else holds at this moment is left out: he
-- renews it too or is about to end it, and the next request is another sign of life.
CREATE FUNCTION tfx.touch_leases(p_ids uuid[], p_agents text[], p_tokens text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    FOR v IN
        SELECT l AS lease, p.agent, p.token
        FROM unnest(p_ids, p_agents, p_tokens) WITH ORDINALITY p(id, agent, token, n)
        JOIN tf.lease l ON l.job_id = p.id
        LEFT JOIN tf.phase_lease d ON d.doing = l.job_state
        WHERE l.confirmed IS NULL OR l.lease_until <= now() + make_interval(
            secs => coalesce(l.lease_s, d.seconds, 86400)) * 2 / 3
        ORDER BY p.id, p.n
        FOR NO KEY UPDATE OF l SKIP LOCKED
    LOOP
        PERFORM tfx.touch_lease(v.lease, v.agent, v.token);
    END LOOP;
END
$$;
