-- SPDX-License-Identifier: GPL-3.0-or-later
-- Forgets at most p_limit keys of submissions that are older than 24 hours, the oldest first; returns
-- how many.
CREATE FUNCTION api.purge_submission_keys(p_limit int) RETURNS TABLE (purged int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM tf.submission_key k
    WHERE k.ctid = ANY (ARRAY(
        SELECT o.ctid FROM tf.submission_key o
        WHERE o.created_at <= now() - interval '24 h'
        ORDER BY o.created_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN NEXT;
END
$$;
