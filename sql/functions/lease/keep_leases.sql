-- SPDX-License-Identifier: GPL-3.0-or-later
-- Renews the leases that bear these tokens, those of agents with leases: nearly all renewals end here,
-- since a lease that is there is that of the newest attempt.  A row with its place in the arrays (from
-- 1) for each that was renewed; of the others tfx.judge_renewal() knows more, and then locks what is
-- locked already.  But for those that somebody else holds at this moment, who may take his time: no
-- job_state, nothing was done.
--
-- Written each time, unlike other signs of life: an agent that renews at each third of its lease
-- would else, by a millisecond too early, be left with one third every other time.
CREATE FUNCTION tfx.keep_leases(p_ids uuid[], p_tokens text[])
RETURNS TABLE (n bigint, job_state text, lease_until timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_ours uuid[] := ARRAY(SELECT l.job_id FROM tf.lease l WHERE l.job_id = ANY (p_ids)
                           FOR NO KEY UPDATE SKIP LOCKED);
    v_all boolean := cardinality(v_ours) = cardinality(p_ids);
BEGIN
    RETURN QUERY
    UPDATE tf.lease l
    SET confirmed = coalesce(l.confirmed, now()),
        lease_until = now() + make_interval(secs => l.lease_s)
    FROM unnest(p_ids, p_tokens) WITH ORDINALITY r(id, token, n)
    WHERE l.job_id = r.id AND (v_all OR l.job_id = ANY (v_ours))
        AND l.token::text = lower(r.token) AND l.lease_s IS NOT NULL
        AND l.job_state <> 'cancelled' AND isfinite(l.lease_until)
    RETURNING r.n, l.job_state, l.lease_until;
    IF NOT v_all THEN
        RETURN QUERY
        SELECT r.n, NULL::text, NULL::timestamptz FROM unnest(p_ids) WITH ORDINALITY r(id, n)
        WHERE NOT r.id = ANY (v_ours) AND EXISTS (SELECT FROM tf.lease l WHERE l.job_id = r.id);
    END IF;
END
$$;
