-- SPDX-License-Identifier: GPL-3.0-or-later
-- Drops an upload that will not be finished.  Of a finished or unknown one nothing happens.
CREATE FUNCTION api.abandon_file(p_file uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_week date := tfx.find_file_week(p_file);
BEGIN
    DELETE FROM tf.file f WHERE f.week = v_week AND f.id = p_file AND f.state = 'open';
    IF FOUND THEN
        DELETE FROM tf.chunk c WHERE c.week = v_week AND c.file_id = p_file;
    END IF;
END
$$;
