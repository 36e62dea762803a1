-- SPDX-License-Identifier: GPL-3.0-or-later
-- Replaces the images of queues: {queue: {image: provision data}}; other queues stay as they are.
-- A queue not advertised yet is from now on, without a description.
CREATE FUNCTION api.set_queue_images(p_images json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- In the order of names: two agents may post the same queues at once.
    INSERT INTO tf.advertised_queue AS a (queue, description, images)
    SELECT q.key, '', q.value FROM json_each(p_images) q ORDER BY q.key COLLATE "C"
    ON CONFLICT (queue) DO UPDATE SET images = EXCLUDED.images, updated_at = now();
END
$$;
