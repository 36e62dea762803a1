-- SPDX-License-Identifier: GPL-3.0-or-later
-- How many jobs of a queue wait ahead of a place.  One statement, or a job on its way from hold to wait
-- could be counted twice or not at all.  Higher priorities and the same one are counted apart: a scan
-- by (nprio, seq) < (…) would not stop before the end of the priority.  Without parallel workers: to start
-- them takes longer than to count ten thousand.
CREATE FUNCTION tfx.count_ahead(p_queue text, p_nprio bigint, p_seq bigint) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    RETURN (SELECT count(*) FROM tf.wait w WHERE w.queue = p_queue COLLATE "C" AND w.nprio < p_nprio)
        + (SELECT count(*) FROM tf.wait w
           WHERE w.queue = p_queue COLLATE "C" AND w.nprio = p_nprio AND w.seq < p_seq)
        + (SELECT count(*) FROM tf.hold h WHERE h.queue = p_queue COLLATE "C" AND h.nprio < p_nprio)
        + (SELECT count(*) FROM tf.hold h
           WHERE h.queue = p_queue COLLATE "C" AND h.nprio = p_nprio AND h.seq < p_seq);
END
$$;
