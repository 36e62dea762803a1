-- SPDX-License-Identifier: GPL-3.0-or-later
-- {"queue": name, "owners": [client ids]}, owners in the order in which they were added.
CREATE FUNCTION tfx.render_restriction(p_queue text) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object('queue', p_queue, 'owners', coalesce((
        SELECT json_agg(o.client_id ORDER BY o.seq)
        FROM tf.queue_owner o WHERE o.queue = p_queue COLLATE "C"), '[]'))
$$;
