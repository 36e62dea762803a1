-- SPDX-License-Identifier: GPL-3.0-or-later
-- Merges what an agent (or somebody for it) reports into its record, which is made if new.  Keys
-- not given stay; log lines are appended, the last 100 kept.  Every change of state or comment
-- is written down.  p_by: client id of the caller or NULL.
CREATE FUNCTION api.post_agent(p_name text, p_data jsonb, p_by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_old tf.agent;
    v_new tf.agent;
BEGIN
    INSERT INTO tf.agent (name) VALUES (p_name) ON CONFLICT DO NOTHING;
    SELECT * INTO v_old FROM tf.agent a WHERE a.name = p_name FOR UPDATE;
    UPDATE tf.agent a
    SET state = coalesce(p_data ->> 'state', a.state),
        queues = CASE WHEN jsonb_typeof(p_data -> 'queues') = 'array'
                      THEN ARRAY(SELECT jsonb_array_elements_text(p_data -> 'queues'))
                      ELSE a.queues END,
        location = coalesce(p_data ->> 'location', a.location),
        provision_type = coalesce(p_data ->> 'provision_type', a.provision_type),
        job_id = coalesce(p_data ->> 'job_id', a.job_id),
        comment = coalesce(p_data ->> 'comment', a.comment),
        identifier = coalesce(p_data ->> 'identifier', a.identifier),
        log = CASE WHEN jsonb_typeof(p_data -> 'log') = 'array'
                   THEN tfx.keep_last_lines(a.log, p_data -> 'log') ELSE a.log END,
        updated_at = now()
    WHERE a.name = p_name
    RETURNING a.* INTO v_new;
    IF (v_old.state, v_old.comment) IS DISTINCT FROM (v_new.state, v_new.comment) THEN
        INSERT INTO tf.agent_event (agent, from_state, to_state, comment, by, job_id)
        VALUES (p_name, v_old.state, v_new.state, v_new.comment, p_by, v_new.job_id);
    END IF;
END
$$;
