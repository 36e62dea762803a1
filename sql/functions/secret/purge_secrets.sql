-- SPDX-License-Identifier: GPL-3.0-or-later
-- Deletes at most p_limit secrets that have expired; returns how many.  What is spent on a job
-- stays until that ends: it may be claimed again.
CREATE FUNCTION tfx.purge_secrets(p_limit int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    DELETE FROM tf.secret s
    WHERE s.id = ANY (ARRAY(
        SELECT o.id FROM tf.secret o
        WHERE o.expires_at <= now() AND o.job_id IS NULL
        ORDER BY o.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
