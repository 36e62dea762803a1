-- SPDX-License-Identifier: GPL-3.0-or-later
-- The claims that were committed under these tokens and not cancelled since, as api.claim_jobs() answered them: asked when a
-- connection died during COMMIT.  `request` is the index of the token from 0.
CREATE FUNCTION api.claims_of(p_tokens uuid[])
RETURNS TABLE (request int, job_id text, body text, secrets text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_numbers int[];
    v_ids uuid[];
    v_first_week date;
    v_last_week date;
BEGIN
    SELECT array_agg(array_position(p_tokens, l.token)), array_agg(l.job_id), min(l.week), max(l.week)
    INTO v_numbers, v_ids, v_first_week, v_last_week
    FROM tf.lease l WHERE l.token = ANY (p_tokens) AND l.job_state <> 'cancelled';
    RETURN QUERY SELECT c.number - 1, c.job_id, c.body, c.secrets
    FROM tfx.render_claims(v_numbers, v_ids, v_first_week, v_last_week) c;
END
$$;
