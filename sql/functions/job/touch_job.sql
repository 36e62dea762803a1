-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent speaks about a job without changing it: a sign of life for its lease.  p_stopped: what it says
-- it stopped a phase for, or NULL (tfx.mark_stop); nobody else's word counts.
--   TF404  no such job        TF409  the token is not that of the newest attempt
CREATE FUNCTION api.touch_job(p_id uuid, p_agent text, p_token text,
                              p_stopped text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM tf.job j WHERE j.id = p_id) THEN
        RAISE EXCEPTION 'job "%" does not exist', p_id USING ERRCODE = 'TF404';
    END IF;
    PERFORM tfx.hear_agent(p_id, p_agent, p_token);
    IF p_stopped IS NOT NULL THEN
        PERFORM tfx.mark_stop(p_id, max(a.attempt), p_stopped) FROM tf.attempt a
        WHERE a.job_id = p_id AND (a.agent = p_agent OR a.token::text = lower(p_token));
    END IF;
END
$$;
