-- SPDX-License-Identifier: GPL-3.0-or-later
-- How provisioning a device for a job ended.  The last 100 of an agent are kept, and its record tells
-- how many of the latest in a row ended the same way.
--   TF404  no agent of that name has reported
CREATE FUNCTION api.post_provision_log(p_agent text, p_job_id text, p_exit_code bigint, p_detail text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_type text := CASE WHEN p_exit_code = 0 THEN 'pass' ELSE 'fail' END;
BEGIN
    -- Locks the agent's row, so that its logs are counted by one at a time.
    UPDATE tf.agent a
    SET provision_streak_type = v_type,
        provision_streak_count = CASE WHEN a.provision_streak_type = v_type
                                      THEN a.provision_streak_count + 1 ELSE 1 END,
        updated_at = now()
    WHERE a.name = p_agent;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'agent "%" does not exist', p_agent USING ERRCODE = 'TF404';
    END IF;
    INSERT INTO tf.provision_log (agent, job_id, exit_code, detail)
    VALUES (p_agent, p_job_id, p_exit_code, p_detail);
    DELETE FROM tf.provision_log l
    WHERE l.agent = p_agent
        AND l.id <= (SELECT o.id FROM tf.provision_log o
                     WHERE o.agent = p_agent ORDER BY o.id DESC OFFSET 100 LIMIT 1);
END
$$;
