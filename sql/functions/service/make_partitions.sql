-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes the partitions of the coming four weeks where they are missing; called now and then by the
-- server.  Gives up after two seconds of waiting for a lock: it is called again.
CREATE FUNCTION api.make_partitions() RETURNS TABLE (created int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s' AS $$
BEGIN
    RETURN QUERY SELECT tfx.make_partitions(4);
END
$$;
