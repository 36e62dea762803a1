-- SPDX-License-Identifier: GPL-3.0-or-later
-- Renews a lease by its token, or without one by the agent's name when the agent asked for no lease.
-- After the end of the job: its state, and no expires_at.  One by itself: servers call
-- api.renew_leases().
--   TF404  no such job        TF409  the lease belongs to somebody else by now
CREATE FUNCTION api.renew_lease(p_id uuid, p_agent text, p_token text)
RETURNS TABLE (job_state text, cancelled boolean, expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v record;
BEGIN
    SELECT k.job_state, k.lease_until INTO v FROM tfx.keep_leases(ARRAY[p_id], ARRAY[p_token]) k
    WHERE k.job_state IS NOT NULL;
    IF NOT FOUND THEN
        SELECT * INTO v FROM tfx.judge_renewal(p_id, p_agent, p_token);
    END IF;
    RETURN QUERY SELECT v.job_state, v.job_state = 'cancelled', tfx.format_micros(v.lease_until);
END
$$;
