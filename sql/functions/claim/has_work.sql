-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether a job can be claimed from one of the queues (a JSON list), by some agent.
CREATE FUNCTION tfx.has_work(p_queues jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM jsonb_array_elements_text(p_queues) q(queue)
        CROSS JOIN LATERAL (SELECT FROM tf.wait w WHERE w.queue = q.queue COLLATE "C" LIMIT 1) one);
END
$$;
