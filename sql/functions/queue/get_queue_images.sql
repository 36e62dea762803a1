-- SPDX-License-Identifier: GPL-3.0-or-later
-- {image: provision data} of an advertised queue; {} if there are none.
CREATE FUNCTION api.get_queue_images(p_queue text) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT coalesce((SELECT a.images::text FROM tf.advertised_queue a
                     WHERE a.queue = p_queue AND a.updated_at > now() - interval '7 days'), '{}');
END
$$;
