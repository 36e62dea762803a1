-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tells all servers that listen what has changed: keys of 16 hexadecimal digits, or * for anything.  Called
-- in a transaction of its own, after the change: a NOTIFY takes a lock on the whole cluster at commit.
-- Who sends hears nothing meanwhile.  So it waits for neither disk nor standby, since nothing here has to
-- outlive a crash, and not long for that lock, which others may hold while they wait for those: 55P03.
CREATE FUNCTION api.notify(p_keys text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '200ms', true);
    PERFORM pg_notify('testflinger', p_keys);
END
$$;
