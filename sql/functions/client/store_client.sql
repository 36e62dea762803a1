-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes a client or changes one: keys given in p_data (secret_hash, role, email, max_priority,
-- max_reservation_time) replace.  Returns whether it is new.  Checks nothing: for api.put_client and
-- the administration program.
CREATE FUNCTION tfx.store_client(p_client_id text, p_data jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_created boolean;
BEGIN
    INSERT INTO tf.client (client_id) VALUES (p_client_id) ON CONFLICT DO NOTHING;
    v_created := FOUND;
    UPDATE tf.client c
    SET secret_hash = coalesce(p_data ->> 'secret_hash', c.secret_hash),
        role = coalesce((p_data ->> 'role')::tf.role_name, c.role),
        email = coalesce(p_data ->> 'email', c.email),
        max_priority = coalesce(p_data -> 'max_priority', c.max_priority),
        max_reservation_time = coalesce(p_data -> 'max_reservation_time', c.max_reservation_time),
        updated_at = now()
    WHERE c.client_id = p_client_id;
    RETURN v_created;
END
$$;
