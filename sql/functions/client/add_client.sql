-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes a client, the system admin too: for the administration program.  p_data as in
-- tfx.store_client.
--   TF409  there is one of that name
CREATE FUNCTION tfx.add_client(p_client_id text, p_data jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT tfx.store_client(p_client_id, p_data) THEN
        RAISE EXCEPTION 'client "%" exists already', p_client_id USING ERRCODE = 'TF409';
    END IF;
END
$$;
