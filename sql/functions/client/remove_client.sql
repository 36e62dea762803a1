-- SPDX-License-Identifier: GPL-3.0-or-later
-- Deletes a client with its refresh tokens, its secrets and its place among the owners of queues, which stay
-- restricted.  Returns whether there was one.
CREATE FUNCTION tfx.remove_client(p_client_id text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tfx.drop_client_secrets(p_client_id);
    DELETE FROM tf.client c WHERE c.client_id = p_client_id;
    RETURN FOUND;
END
$$;
