-- SPDX-License-Identifier: GPL-3.0-or-later
-- Deletes a client over the interface.
--   TF422  the system admin cannot be deleted      TF404  no such client
CREATE FUNCTION api.delete_client(p_client_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_client_id = 'testflinger-admin' THEN
        RAISE EXCEPTION 'client "%" cannot be deleted', p_client_id USING ERRCODE = 'TF422';
    ELSIF NOT tfx.remove_client(p_client_id) THEN
        RAISE EXCEPTION 'client "%" does not exist', p_client_id USING ERRCODE = 'TF404';
    END IF;
END
$$;
