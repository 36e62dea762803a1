-- SPDX-License-Identifier: GPL-3.0-or-later
-- Gives each of a batch of polling agents its best waiting job, in one transaction.  p_requests:
--   [{"agent": text, "queues": [text], "token": uuid, "lease": seconds or null, "boot": text or null}]
-- `request` in the result is the index from 0; who got nothing has no row.  body: the answer for
-- the agent, but for the secrets that it names: those come sealed, beside it.  The fencing token is
-- made by the caller, who can ask api.claims_of() with it what was committed when a connection dies
-- during COMMIT.  An agent named twice is served once.
--
-- The plans are pinned: one made while the tables were empty costs a thousand times as much later.
CREATE FUNCTION api.claim_jobs(p_requests jsonb)
RETURNS TABLE (request int, job_id text, attempt int, token text, body text, secrets text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_agents text[] := ARRAY[p_requests #>> '{0,agent}'];
    v_free boolean[] := '{true}';
    v_again int[];
    v_again_jobs uuid[];
    v_numbers int[];
    v_places tf.wait[];
BEGIN
    IF jsonb_array_length(p_requests) = 0 THEN
        RETURN;
    ELSIF jsonb_array_length(p_requests) > 1 THEN
        SELECT array_agg(s.agent ORDER BY s.n), array_agg(s.first ORDER BY s.n) INTO v_agents, v_free
        FROM (SELECT r.n, r.j ->> 'agent' AS agent,
                     r.n = min(r.n) OVER (PARTITION BY r.j ->> 'agent') AS first
              FROM jsonb_array_elements(p_requests) WITH ORDINALITY r(j, n)) s;
    END IF;
    IF EXISTS (SELECT FROM tf.lease l WHERE l.agent = ANY (v_agents)) THEN
        SELECT array_agg(o.number), array_agg(o.job_id) INTO v_again, v_again_jobs
        FROM tfx.offer_again(p_requests, v_free) o;
        SELECT array_agg(f.is_free AND NOT f.n = ANY (coalesce(v_again, '{}')) ORDER BY f.n)
        INTO v_free
        FROM unnest(v_free) WITH ORDINALITY f(is_free, n);
    END IF;
    SELECT p.numbers, p.places INTO v_numbers, v_places
    FROM tfx.pick_jobs(p_requests, v_agents, v_free) p;
    IF v_numbers <> '{}' THEN
        PERFORM tfx.start_attempts(p_requests, v_numbers, v_places);
    END IF;
    IF v_numbers <> '{}' OR v_again IS NOT NULL THEN
        v_again_jobs := v_again_jobs || ARRAY(SELECT w.job_id FROM unnest(v_places) w);
        PERFORM tfx.bind_secrets(v_again_jobs);
        RETURN QUERY SELECT * FROM tfx.render_claims(v_again || v_numbers, v_again_jobs);
    END IF;
END
$$;
