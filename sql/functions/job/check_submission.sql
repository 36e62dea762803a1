-- SPDX-License-Identifier: GPL-3.0-or-later
-- Refuses a submission its sender may not make, in the order of docs/protocol.md.
--   TF422  every agent that serves the queue is excluded; secrets that cannot be used
--   TF400  job_id is not a UUID
--   TF401  an anonymous caller asks for more than it may    TF403  the client may not
CREATE FUNCTION tfx.check_submission(p_facts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_queue text := p_facts ->> 'queue';
    v_known boolean := coalesce((p_facts ->> 'authenticated')::boolean, false);
    v_priority bigint := coalesce((p_facts ->> 'priority')::bigint, 0);
    v_reserve bigint := CASE WHEN (p_facts ->> 'has_reservation')::boolean
                             THEN coalesce((p_facts ->> 'reserve_timeout')::bigint, 3600) END;
BEGIN
    IF jsonb_array_length(coalesce(p_facts -> 'exclude_agents', '[]')) > 0 AND NOT EXISTS (
        SELECT FROM tf.agent a
        WHERE v_queue = ANY (a.queues) AND NOT p_facts -> 'exclude_agents' ? a.name) THEN
        RAISE EXCEPTION 'no agent of queue "%" is left to run this job', v_queue
            USING ERRCODE = 'TF422';
    END IF;
    IF p_facts ? 'secrets' THEN
        PERFORM tfx.check_secrets(p_facts);
    END IF;
    IF (p_facts ->> 'id_bad')::boolean THEN
        RAISE EXCEPTION 'job_id is not a UUID' USING ERRCODE = 'TF400';
    ELSIF v_priority <> 0 AND NOT v_known THEN
        RAISE EXCEPTION 'a priority needs authentication' USING ERRCODE = 'TF401';
    ELSIF v_priority > 0 AND v_priority > coalesce((p_facts ->> 'max_priority')::bigint, 0) THEN
        RAISE EXCEPTION 'priority % is not allowed on queue "%"', v_priority, v_queue
            USING ERRCODE = 'TF403';
    END IF;
    IF EXISTS (SELECT FROM tf.restricted_queue r WHERE r.queue = v_queue) THEN
        IF NOT v_known THEN
            RAISE EXCEPTION 'queue "%" is restricted: authentication needed', v_queue
                USING ERRCODE = 'TF401';
        ELSIF NOT coalesce((p_facts ->> 'queue_allowed')::boolean, false) THEN
            RAISE EXCEPTION 'queue "%" is restricted', v_queue USING ERRCODE = 'TF403';
        END IF;
    END IF;
    IF v_reserve > 21600 AND NOT v_known THEN
        RAISE EXCEPTION 'a reservation of % s needs authentication', v_reserve
            USING ERRCODE = 'TF401';
    ELSIF v_reserve > 21600
        AND v_reserve > coalesce((p_facts ->> 'max_reservation')::bigint, 0) THEN
        RAISE EXCEPTION 'a reservation of % s is not allowed on queue "%"', v_reserve, v_queue
            USING ERRCODE = 'TF403';
    END IF;
END
$$;
