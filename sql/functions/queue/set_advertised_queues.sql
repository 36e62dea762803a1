-- SPDX-License-Identifier: GPL-3.0-or-later
-- Advertises queues: {queue: description}; others stay as they are.
CREATE FUNCTION api.set_advertised_queues(p_queues jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- In the order of names: two agents may post the same queues at once.
    INSERT INTO tf.advertised_queue AS a (queue, description)
    SELECT q.key, q.value FROM jsonb_each_text(p_queues) q ORDER BY q.key COLLATE "C"
    ON CONFLICT (queue) DO UPDATE SET description = EXCLUDED.description, updated_at = now();
END
$$;
