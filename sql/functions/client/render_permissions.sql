-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a client may do, as it stands in its tokens; what was never given is left out.
CREATE FUNCTION tfx.render_permissions(p_client tf.client) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'client_id', p_client.client_id, 'role', p_client.role, 'email', p_client.email,
        'max_priority', p_client.max_priority,
        'max_reservation_time', p_client.max_reservation_time,
        'allowed_queues', CASE WHEN p_client.queues_granted THEN coalesce((
            SELECT jsonb_agg(o.queue ORDER BY o.seq)
            FROM tf.queue_owner o WHERE o.client_id = p_client.client_id), '[]') END))
$$;
