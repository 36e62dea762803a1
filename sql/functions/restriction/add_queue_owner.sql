-- SPDX-License-Identifier: GPL-3.0-or-later
-- Restricts a queue to its owners, if it is not yet, and makes a client one of them; again is fine.
--   TF400  no client is named      TF404  there is no such client, or no agent serves the queue
CREATE FUNCTION api.add_queue_owner(p_queue text, p_client_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_client_id = '' THEN
        RAISE EXCEPTION 'client_id is empty' USING ERRCODE = 'TF400';
    END IF;
    UPDATE tf.client c SET queues_granted = true WHERE c.client_id = p_client_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'client "%" does not exist', p_client_id USING ERRCODE = 'TF404';
    ELSIF NOT EXISTS (SELECT FROM tf.agent a
                      WHERE p_queue = ANY (a.queues) AND a.updated_at > now() - interval '7 days') THEN
        RAISE EXCEPTION 'queue "%" does not exist: no agent serves it', p_queue
            USING ERRCODE = 'TF404';
    END IF;
    -- Writes the row even if it is there: its lock keeps api.remove_queue_owner() from lifting the
    -- restriction between this statement and the next.
    INSERT INTO tf.restricted_queue (queue) VALUES (p_queue)
    ON CONFLICT (queue) DO UPDATE SET queue = EXCLUDED.queue;
    INSERT INTO tf.queue_owner (queue, client_id) VALUES (p_queue, p_client_id) ON CONFLICT DO NOTHING;
END
$$;
