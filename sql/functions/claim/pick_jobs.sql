-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes the best job off tf.wait for each request that is free, in the order of the requests:
-- places[i] is for request numbers[i] (from 1).
-- Every queue is probed for its best candidates without locking (a lock in a probe would make other
-- agents see an empty queue), merged over all queues and given out in memory; then just those rows
-- are locked, in that order, skipping what others hold.  Who comes away with nothing although
-- there may be more is served singly.
CREATE FUNCTION tfx.pick_jobs(p_requests jsonb, p_agents text[], p_free boolean[],
                              OUT numbers int[], OUT places tf.wait[])
LANGUAGE plpgsql AS $$
DECLARE
    c record;
    i int;
    v_place tf.wait;
    v_retry boolean[] := p_free;
    v_numbers int[] := '{}';
    v_queues text[] := '{}';
    v_nprios bigint[] := '{}';
    v_seqs bigint[] := '{}';
BEGIN
    IF cardinality(p_agents) > 1 THEN
        v_retry := array_fill(false, ARRAY[cardinality(p_agents)]);
        FOR c IN SELECT * FROM tfx.probe_queues(p_requests) LOOP
            FOREACH i IN ARRAY c.askers LOOP
                IF p_free[i] AND NOT coalesce(p_agents[i] = ANY (c.exclude_agents), false) THEN
                    p_free[i] := false;
                    v_retry[i] := true;
                    v_numbers := v_numbers || i;
                    v_queues := v_queues || c.queue;
                    v_nprios := v_nprios || c.nprio;
                    v_seqs := v_seqs || c.seq;
                    EXIT;
                END IF;
            END LOOP;
            CONTINUE WHEN NOT c.is_full;
            -- What the queue has behind this may be better than anything that follows here.
            FOREACH i IN ARRAY c.askers LOOP
                v_retry[i] := v_retry[i] OR p_free[i];
                p_free[i] := false;
            END LOOP;
        END LOOP;
    END IF;
    numbers := '{}';
    IF v_numbers <> '{}' THEN
        SELECT t.numbers, t.places INTO numbers, places
        FROM tfx.take_places(v_numbers, v_queues, v_nprios, v_seqs) t;
        FOREACH i IN ARRAY numbers LOOP
            v_retry[i] := false;
        END LOOP;
    END IF;
    FOR i IN 1..cardinality(v_retry) LOOP
        CONTINUE WHEN NOT v_retry[i];
        v_place := tfx.pick_job(p_agents[i], p_requests -> (i - 1) -> 'queues');
        IF v_place.job_id IS NOT NULL THEN
            numbers := numbers || i;
            places := places || v_place;
        END IF;
    END LOOP;
END
$$;
