-- SPDX-License-Identifier: GPL-3.0-or-later
-- A restricted queue and its owners, in the order in which they were added.
--   TF404  the queue is not restricted
CREATE FUNCTION api.get_restricted_queue(p_queue text) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT tfx.render_restriction(r.queue)::text FROM tf.restricted_queue r WHERE r.queue = p_queue;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'queue "%" is not restricted', p_queue USING ERRCODE = 'TF404';
    END IF;
END
$$;
