-- SPDX-License-Identifier: GPL-3.0-or-later
-- The version of this schema and the oldest server that works with it.
CREATE FUNCTION api.check_schema() RETURNS TABLE (version int, oldest_server int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT s.version, s.oldest_server FROM tf.schema_version s;
END
$$;
