-- SPDX-License-Identifier: GPL-3.0-or-later
-- The queues for which an operator has set something.
CREATE FUNCTION tfx.list_queue_policies()
RETURNS TABLE (queue text, retry boolean, stop_after_s int, lease_max_s int)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT q.queue, q.retry, q.stop_after_s, q.lease_max_s FROM tf.queue_policy q
    ORDER BY q.queue;
END
$$;
