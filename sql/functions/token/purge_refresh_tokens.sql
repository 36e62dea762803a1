-- SPDX-License-Identifier: GPL-3.0-or-later
-- Deletes at most p_limit refresh tokens that were not used for 90 days; returns how many.  Tokens
-- in use at this moment are left for the next run.
CREATE FUNCTION tfx.purge_refresh_tokens(p_limit int) RETURNS int
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_count int;
BEGIN
    DELETE FROM tf.refresh_token t
    WHERE t.sha256 = ANY (ARRAY(
        SELECT o.sha256 FROM tf.refresh_token o
        WHERE o.last_used <= now() - interval '90 days'
        ORDER BY o.last_used LIMIT p_limit FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
