-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent speaks about a job without changing it: a sign of life for its lease.
--   TF404  no such job        TF409  the token is not that of the newest attempt
CREATE FUNCTION api.touch_job(p_id uuid, p_agent text, p_token text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_token uuid;
BEGIN
    IF NOT EXISTS (SELECT FROM tf.job j WHERE j.id = p_id) THEN
        RAISE EXCEPTION 'job "%" does not exist', p_id USING ERRCODE = 'TF404';
    END IF;
    SELECT a.token INTO v_token FROM tf.attempt a
    WHERE a.job_id = p_id ORDER BY a.attempt DESC LIMIT 1;
    IF p_token IS NOT NULL AND v_token::text IS DISTINCT FROM lower(p_token) THEN
        RAISE EXCEPTION 'job "%" is not leased under this token any more', p_id
            USING ERRCODE = 'TF409';
    END IF;
    PERFORM tfx.touch_lease(p_id, p_agent, p_token IS NOT NULL);
END
$$;
