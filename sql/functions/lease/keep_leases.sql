-- SPDX-License-Identifier: GPL-3.0-or-later
-- Renews the leases that bear these tokens, those of agents with leases: nearly all renewals end here,
-- since a lease that is there is that of the newest attempt.  A row with its place in the arrays (from
-- 1) for each that was renewed; of the others tfx.judge_renewal() knows more.  All leases of these
-- jobs are locked then, in the order of job_id: two calls for the same jobs cannot deadlock.
--
-- Written each time, unlike other signs of life: an agent that renews at each third of its lease
-- would else, by a millisecond too early, be left with one third every other time.
CREATE FUNCTION tfx.keep_leases(p_ids uuid[], p_tokens text[])
RETURNS TABLE (n bigint, job_state text, lease_until timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM tf.lease l WHERE l.job_id = ANY (p_ids) ORDER BY l.job_id FOR NO KEY UPDATE;
    RETURN QUERY
    UPDATE tf.lease l
    SET confirmed = coalesce(l.confirmed, now()),
        lease_until = now() + make_interval(secs => l.lease_s)
    FROM unnest(p_ids, p_tokens) WITH ORDINALITY r(id, token, n)
    WHERE l.job_id = r.id AND l.token::text = lower(r.token) AND l.lease_s IS NOT NULL
        AND l.job_state <> 'cancelled' AND isfinite(l.lease_until)
    RETURNING r.n, l.job_state, l.lease_until;
END
$$;
