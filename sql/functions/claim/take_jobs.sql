-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes the claims of those requests of api.claim_jobs() that are free: jobs[i] is for request numbers[i],
-- a job offered again or one that was waiting.  The weeks of the jobs are between first_week and last_week.
-- slow: requests that took long.
-- p_queues[p_lists[i]]: the queues that request i asks for, as the text of an array.  p_held: jobs that the
-- agents have already, or NULL.
CREATE FUNCTION tfx.take_jobs(p_agents text[], p_tokens uuid[], p_leases int[], p_boots text[],
                              p_lists int[], p_queues text[], p_free boolean[], p_held uuid[],
                              OUT numbers int[], OUT jobs uuid[], OUT first_week date,
                              OUT last_week date, OUT slow int[])
LANGUAGE plpgsql AS $$
DECLARE
    v_again int[];
    v_again_jobs uuid[];
    v_picked record;
    v_secret boolean := false;
BEGIN
    IF p_held IS NOT NULL THEN
        SELECT array_agg(o.number), array_agg(o.job_id), min(o.week), max(o.week)
        INTO v_again, v_again_jobs, first_week, last_week
        FROM tfx.offer_again(p_agents, p_tokens, p_leases, p_boots, p_lists, p_queues, p_free, p_held) o;
    END IF;
    IF v_again IS NOT NULL THEN
        p_free := ARRAY(SELECT f.is_free AND f.n <> ALL (v_again)
                        FROM unnest(p_free) WITH ORDINALITY f(is_free, n) ORDER BY f.n);
        v_secret := true;
    END IF;
    IF p_free = '{true}' THEN
        v_picked := tfx.take_best(p_agents, p_lists, p_queues);
    ELSE
        v_picked := tfx.pick_jobs(p_agents, p_lists, p_queues, p_free);
    END IF;
    IF v_picked.numbers <> '{}' THEN
        v_secret := tfx.start_attempts(p_agents, p_tokens, p_leases, p_boots, v_picked.numbers,
                                       v_picked.places, v_picked.jobs) OR v_secret;
    END IF;
    numbers := coalesce(v_again, '{}') || v_picked.numbers;
    jobs := v_again_jobs || v_picked.jobs;
    first_week := least(first_week, v_picked.first_week);
    last_week := greatest(last_week, v_picked.last_week);
    slow := v_picked.slow;
    IF v_secret THEN
        PERFORM tfx.bind_secrets(jobs);
    END IF;
END
$$;
