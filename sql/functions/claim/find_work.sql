-- SPDX-License-Identifier: GPL-3.0-or-later
-- For each list of queues (text of an array) whether a job can be claimed from one of them, by some agent.
CREATE FUNCTION tfx.find_work(p_queues text[]) RETURNS boolean[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT EXISTS (
            SELECT FROM unnest(l.queues::text[]) q(queue)
            CROSS JOIN LATERAL (SELECT FROM tf.wait w WHERE w.queue = q.queue COLLATE "C" LIMIT 1) one)
        FROM unnest(p_queues) WITH ORDINALITY l(queues, n) ORDER BY l.n);
END
$$;
