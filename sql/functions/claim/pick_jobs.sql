-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes the best job off tf.wait for each request that is free, in the order of the requests:
-- places[i], of job jobs[i], is for request numbers[i].  The weeks of the jobs are between first_week and
-- last_week.  slow: those that needed long to be served singly.
-- Every queue is probed for its best candidates without locking (a lock in a probe would make other
-- agents see an empty queue), merged over all queues and given out in memory; then just those rows
-- are locked, in that order, skipping what others hold.  Who comes away with nothing although
-- there may be more is served singly.
CREATE FUNCTION tfx.pick_jobs(p_agents text[], p_lists int[], p_queues text[], p_free boolean[],
                              OUT numbers int[], OUT places tf.wait[], OUT jobs uuid[],
                              OUT first_week date, OUT last_week date, OUT slow int[])
LANGUAGE plpgsql AS $$
DECLARE
    i int;
    v_place tf.wait;
    v_begin timestamptz;
    v_retry boolean[] := p_free;
    v_chosen record;
BEGIN
    numbers := '{}';
    slow := '{}';
    IF cardinality(p_agents) > 1 THEN
        SELECT * INTO v_chosen FROM tfx.choose_places(p_agents, p_lists, p_queues, p_free);
        v_retry := v_chosen.retry;
        IF v_chosen.numbers <> '{}' THEN
            SELECT t.* INTO numbers, places, jobs, first_week, last_week
            FROM tfx.take_places(v_chosen.numbers, v_chosen.queues, v_chosen.nprios, v_chosen.seqs) t;
            FOREACH i IN ARRAY numbers LOOP
                v_retry[i] := false;
            END LOOP;
        END IF;
    END IF;
    FOR i IN 1..cardinality(v_retry) LOOP
        CONTINUE WHEN NOT v_retry[i];
        v_begin := clock_timestamp();
        v_place := tfx.pick_job(p_agents[i], p_queues[p_lists[i]]::text[]);
        IF clock_timestamp() - v_begin > interval '5 ms' THEN
            slow := slow || i;
        END IF;
        IF v_place.job_id IS NOT NULL THEN
            numbers := numbers || i;
            places := places || v_place;
            jobs := jobs || v_place.job_id;
            first_week := least(first_week, v_place.week);
            last_week := greatest(last_week, v_place.week);
        END IF;
    END LOOP;
END
$$;
