-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes a client off the owners of a restricted queue; with the last one the restriction goes too.
--   TF404  the queue is not restricted, or the client is not an owner      TF400  no client is named
CREATE FUNCTION api.remove_queue_owner(p_queue text, p_client_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM tf.restricted_queue r WHERE r.queue = p_queue FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'queue "%" is not restricted', p_queue USING ERRCODE = 'TF404';
    ELSIF p_client_id = '' THEN
        RAISE EXCEPTION 'client_id is empty' USING ERRCODE = 'TF400';
    END IF;
    DELETE FROM tf.queue_owner o WHERE o.queue = p_queue AND o.client_id = p_client_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'client "%" is not an owner of queue "%"', p_client_id, p_queue
            USING ERRCODE = 'TF404';
    END IF;
    DELETE FROM tf.restricted_queue r
    WHERE r.queue = p_queue
        AND NOT EXISTS (SELECT FROM tf.queue_owner o WHERE o.queue = p_queue COLLATE "C");
END
$$;
