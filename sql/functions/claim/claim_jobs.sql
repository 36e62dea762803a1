-- SPDX-License-Identifier: GPL-3.0-or-later
-- Gives each of a batch of polling agents its best waiting job, in one transaction.  Request i is:
--   p_agents[i]   who asks; an agent named twice is served once
--   p_tokens[i]   the fencing token, made by the caller, who can ask api.claims_of() with it what was
--                 committed when a connection dies during COMMIT
--   p_leases[i]   seconds asked for, or NULL      p_boots[i]  which start of the agent, or NULL
--   p_lists[i]    which of p_queues it asks for; p_queues[n] is the text of an array of names
--   p_seen[i]     NULL: it does not wait for work.  Else what its look before returned as seen, '' at the
--                 first: an agent that is another one since is to look at itself (changed), and one
--                 that is away gets nothing.  p_seen NULL: none of them waits
-- p_patient: waits for whoever is just changing an agent; else that agent is busy and asks again.
-- `request` in the result is i - 1; who got nothing and is told nothing has no row.  body: the answer for
-- the agent, but for the secrets that it names: those come sealed, beside it.  others: there are jobs
-- in its queues that it did not get; exact only if somebody waits.  slow: to look for its job alone took
-- long.
--
-- The plans are pinned: one made while the tables were empty costs a thousand times as much later.
CREATE FUNCTION api.claim_jobs(p_agents text[], p_tokens uuid[], p_leases int[], p_boots text[],
                               p_lists int[], p_queues text[], p_seen text[], p_patient boolean)
RETURNS TABLE (request int, job_id text, body text, secrets text, seen text, changed boolean,
               busy boolean, others boolean, slow boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_work boolean[] := tfx.find_work(p_queues);
    v_held record := tfx.find_held(p_agents);
    v_judged record;
    v_taken record;
    v_got int[] := '{}';
    v_slow int[] := '{}';
BEGIN
    IF p_seen IS NULL AND v_held.jobs IS NULL AND NOT true = ANY (v_work) THEN
        RETURN;
    END IF;
    v_judged := tfx.judge_claimants(p_agents, p_lists, p_seen, v_work, v_held.holders, p_patient);
    IF true = ANY (v_judged.free) AND (v_held.jobs IS NOT NULL OR true = ANY (v_work)) THEN
        v_taken := tfx.take_jobs(p_agents, p_tokens, p_leases, p_boots, p_lists, p_queues, v_judged.free,
                                 v_held.jobs);
        v_got := v_taken.numbers;
        v_slow := v_taken.slow;
        IF p_seen IS NOT NULL THEN
            v_work := tfx.find_work(p_queues);
        END IF;
        RETURN QUERY
        SELECT c.number - 1, c.job_id, c.body, c.secrets, v_judged.seen[c.number], false, false,
               v_work[p_lists[c.number]], c.number = ANY (v_slow)
        FROM tfx.render_claims(v_got, v_taken.jobs, v_taken.first_week, v_taken.last_week) c;
    END IF;
    IF cardinality(v_got) = cardinality(p_agents) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT r.n::int - 1, NULL, NULL, NULL, r.seen, r.changed, r.busy, v_work[r.list], r.n = ANY (v_slow)
    FROM unnest(p_lists, p_seen, v_judged.seen, v_judged.changed, v_judged.busy)
        WITH ORDINALITY r(list, before, seen, changed, busy, n)
    WHERE r.n <> ALL (v_got)
        AND (r.before <> r.seen OR r.busy OR r.n = ANY (v_slow)
             OR (r.before IS NOT NULL AND v_work[r.list]));
END
$$;
