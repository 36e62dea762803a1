-- SPDX-License-Identifier: GPL-3.0-or-later
-- Forgets at most p_limit keys of submissions that are older than 24 hours, the oldest first; returns
-- how many.
CREATE FUNCTION tfx.purge_submission_keys(p_limit int) RETURNS int
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_count int;
BEGIN
    DELETE FROM tf.submission_key k
    WHERE k.ctid = ANY (ARRAY(
        SELECT o.ctid FROM tf.submission_key o
        WHERE o.created_at <= now() - interval '24 h'
        ORDER BY o.created_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
