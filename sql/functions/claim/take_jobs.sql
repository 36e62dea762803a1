-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes the claims of those requests of api.claim_jobs() that are free: jobs[i] is for request numbers[i],
-- a job offered again or one that was waiting.  slow: requests that took long.
-- p_lists[i]: the queues that request i asks for, as the text of an array.  p_held: jobs that the agents
-- have already, or NULL.
CREATE FUNCTION tfx.take_jobs(p_agents text[], p_tokens uuid[], p_leases int[], p_boots text[],
                              p_lists text[], p_free boolean[], p_held uuid[],
                              OUT numbers int[], OUT jobs uuid[], OUT slow int[])
LANGUAGE plpgsql AS $$
DECLARE
    v_again int[];
    v_again_jobs uuid[];
    v_numbers int[];
    v_places tf.wait[];
BEGIN
    IF p_held IS NOT NULL THEN
        SELECT array_agg(o.number), array_agg(o.job_id) INTO v_again, v_again_jobs
        FROM tfx.offer_again(p_agents, p_tokens, p_leases, p_boots, p_lists, p_free, p_held) o;
    END IF;
    IF v_again IS NOT NULL THEN
        p_free := ARRAY(SELECT f.is_free AND f.n <> ALL (v_again)
                        FROM unnest(p_free) WITH ORDINALITY f(is_free, n) ORDER BY f.n);
    END IF;
    SELECT p.numbers, p.places, p.slow INTO v_numbers, v_places, slow
    FROM tfx.pick_jobs(p_agents, p_lists, p_free) p;
    IF v_numbers <> '{}' THEN
        PERFORM tfx.start_attempts(p_agents, p_tokens, p_leases, p_boots, v_numbers, v_places);
    END IF;
    numbers := coalesce(v_again, '{}') || v_numbers;
    jobs := v_again_jobs || ARRAY(SELECT w.job_id FROM unnest(v_places) w);
    IF numbers <> '{}' THEN
        PERFORM tfx.bind_secrets(jobs);
    END IF;
END
$$;
