-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes or changes a client over the interface.  p_caller_role: the role of who asks; p_data as in
-- tfx.store_client.  Checks in the order of docs/protocol.md:
--   TF422  the system admin cannot be changed      TF400  a new client needs a secret
--   TF403  the client, or the role to give it, is above the caller's
CREATE FUNCTION api.put_client(p_client_id text, p_caller_role text, p_data jsonb)
RETURNS TABLE (created boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_client tf.client;
BEGIN
    IF p_client_id = 'testflinger-admin' THEN
        RAISE EXCEPTION 'client "%" cannot be changed', p_client_id USING ERRCODE = 'TF422';
    END IF;
    SELECT * INTO v_client FROM tf.client c WHERE c.client_id = p_client_id FOR UPDATE;
    IF NOT FOUND AND p_data ->> 'secret_hash' IS NULL THEN
        RAISE EXCEPTION 'client "%" is new and needs a client_secret', p_client_id
            USING ERRCODE = 'TF400';
    ELSIF greatest(v_client.role, (p_data ->> 'role')::tf.role_name)
        > p_caller_role::tf.role_name THEN
        RAISE EXCEPTION 'role "%" may not do this to client "%"', p_caller_role, p_client_id
            USING ERRCODE = 'TF403';
    END IF;
    RETURN QUERY SELECT tfx.store_client(p_client_id, p_data);
END
$$;
