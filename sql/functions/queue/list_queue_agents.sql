-- SPDX-License-Identifier: GPL-3.0-or-later
-- The agents that serve a queue: a JSON list with fewer facts than their own records.
--   TF404  no agent serves it
CREATE FUNCTION api.list_queue_agents(p_queue text) RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_body text;
BEGIN
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'name', a.name, 'state', a.state, 'queues', to_jsonb(a.queues),
               'location', a.location, 'provision_type', a.provision_type, 'job_id', a.job_id,
               'comment', a.comment)) ORDER BY a.name)::text
    INTO v_body
    FROM tf.agent a
    WHERE p_queue = ANY (a.queues) AND a.updated_at > now() - interval '7 days';
    IF v_body IS NULL THEN
        RAISE EXCEPTION 'queue "%" does not exist: no agent serves it', p_queue
            USING ERRCODE = 'TF404';
    END IF;
    RETURN QUERY SELECT v_body;
END
$$;
