-- SPDX-License-Identifier: GPL-3.0-or-later
-- State and results of a job's newest attempt; JSON texts as posted, NULL: never posted.  No row:
-- unknown job.  p_agent: the agent that asks, or NULL; one whose attempt was given to another agent
-- reads cancelled, so that it stops.
CREATE FUNCTION api.get_result(p_id uuid, p_agent text)
RETURNS TABLE (job_state text, status text, device_info text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_state text := tfx.find_state(p_id);
    v_newest tf.attempt;
BEGIN
    IF v_state IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO v_newest FROM tf.attempt a
    WHERE a.job_id = p_id ORDER BY a.attempt DESC LIMIT 1;
    IF p_agent <> v_newest.agent
        AND EXISTS (SELECT FROM tf.attempt a WHERE a.job_id = p_id AND a.agent = p_agent) THEN
        v_state := 'cancelled';
    END IF;
    IF p_agent IS NOT NULL THEN
        PERFORM tfx.touch_lease(p_id, p_agent, false);
    END IF;
    RETURN QUERY
    SELECT v_state, r.status, r.device_info
    FROM (SELECT) one
    LEFT JOIN tf.result r ON r.week = v_newest.week AND r.job_id = p_id
        AND r.attempt = v_newest.attempt;
END
$$;
