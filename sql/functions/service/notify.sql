-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tells all servers that listen what has changed: keys of 16 hexadecimal digits, or * for anything.  Called
-- in a transaction of its own, after the change: a NOTIFY takes a lock on the whole cluster at commit.
CREATE FUNCTION api.notify(p_keys text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('testflinger', p_keys);
END
$$;
