-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which of the waiting jobs each free request of a batch should get: numbers[i] the one with the key
-- (queues[i], nprios[i], seqs[i]).  Jobs are gone through in the order of claims, and each is for the first
-- asker that has none yet and is not excluded.  Nothing is locked, so somebody else may take them.
-- retry: those that got one, in case it is lost; and who got none although there may be one, behind
-- what was looked at.
CREATE FUNCTION tfx.choose_places(p_agents text[], p_lists int[], p_queues text[], p_free boolean[],
                                  OUT retry boolean[], OUT numbers int[], OUT queues text[], OUT nprios bigint[],
                                  OUT seqs bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    c record;
    i int;
    v_first int;
    v_firsts int[] := '{}'; -- of a queue: askers before it are served
    v_left int := cardinality(array_positions(p_free, true));
BEGIN
    retry := array_fill(false, ARRAY[cardinality(p_agents)]);
    numbers := '{}';
    FOR c IN SELECT * FROM tfx.probe_queues(p_lists, p_queues, p_free) LOOP
        EXIT WHEN v_left = 0;
        v_first := coalesce(v_firsts[c.number], 1);
        WHILE v_first <= cardinality(c.askers) AND NOT p_free[c.askers[v_first]] LOOP
            v_first := v_first + 1;
        END LOOP;
        v_firsts[c.number] := v_first;
        FOREACH i IN ARRAY c.askers[v_first:] LOOP
            IF p_free[i] AND NOT coalesce(p_agents[i] = ANY (c.exclude_agents), false) THEN
                p_free[i] := false;
                retry[i] := true;
                v_left := v_left - 1;
                numbers := numbers || i;
                queues := queues || c.queue;
                nprios := nprios || c.nprio;
                seqs := seqs || c.seq;
                EXIT;
            END IF;
        END LOOP;
        CONTINUE WHEN NOT c.is_full;
        -- What the queue has behind this may be better than anything that follows here.
        FOREACH i IN ARRAY c.askers[v_first:] LOOP
            IF p_free[i] THEN
                p_free[i] := false;
                retry[i] := true;
                v_left := v_left - 1;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
