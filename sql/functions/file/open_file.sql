-- SPDX-License-Identifier: GPL-3.0-or-later
-- Begins an upload and returns the id to write to; invisible until api.finish_file().
-- attachments: only for a job that waits for them; no row: they have been received already.
-- artifact: for any id, even unknown, as with logs.
--   TF422  the job is unknown, does not wait, or has no attachments    TF409  the token is stale
CREATE FUNCTION api.open_file(p_id uuid, p_kind text, p_agent text, p_token text)
RETURNS TABLE (file_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_attempt int := 0;
    v_week date;
    v_id uuid;
BEGIN
    IF p_kind = 'attachments' THEN
        v_week := tfx.check_awaiting(p_id);
        IF v_week IS NULL THEN
            RETURN;
        END IF;
    ELSE
        SELECT a.attempt, a.week INTO v_attempt, v_week
        FROM tfx.find_attempt(p_id, p_agent, p_token) a;
        PERFORM tfx.touch_lease(tfx.find_lease(p_id), p_agent, p_token);
    END IF;
    v_id := tfx.new_file_id(v_week);
    INSERT INTO tf.file (week, id, job_id, attempt, kind)
    VALUES (v_week, v_id, p_id, v_attempt, p_kind::tf.file_kind);
    RETURN QUERY SELECT v_id::text;
END
$$;
