-- SPDX-License-Identifier: GPL-3.0-or-later
-- api.renew_lease() for many requests in one transaction, each with its own end: the three arrays are
-- the parameters of each.  A row for every request, in no order: `request` is its index from 0;
-- failure: the SQLSTATE it would have raised (NULL: it is renewed), why: the text.  55P03: somebody else
-- holds the lease, and the others cannot wait for that; nothing was done.
CREATE FUNCTION api.renew_leases(p_ids uuid[], p_agents text[], p_tokens text[])
RETURNS TABLE (request int, job_state text, cancelled boolean, expires_at text, failure text, why text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_kept bigint[];
BEGIN
    FOR request, job_state, expires_at IN
        SELECT k.n - 1, k.job_state, tfx.format_micros(k.lease_until)
        FROM tfx.keep_leases(p_ids, p_tokens) k
    LOOP
        v_kept := v_kept || request::bigint;
        cancelled := false;
        IF job_state IS NULL THEN
            failure := '55P03';
            why := format('lease of job "%s" is locked', p_ids[request + 1]);
        ELSE
            failure := NULL;
            why := NULL;
        END IF;
        RETURN NEXT;
    END LOOP;
    IF cardinality(v_kept) = cardinality(p_ids) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT r.n::int - 1, t.job_state, t.job_state = 'cancelled', tfx.format_micros(t.lease_until),
           t.failure, t.why
    FROM (SELECT * FROM unnest(p_ids, p_agents, p_tokens) WITH ORDINALITY u(id, agent, token, n)
          WHERE NOT coalesce(u.n - 1 = ANY (v_kept), false)
          ORDER BY u.id, u.n) r
    CROSS JOIN LATERAL tfx.try_renewal(r.id, r.agent, r.token) t;
END
$$;
