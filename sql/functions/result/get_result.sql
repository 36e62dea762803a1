-- SPDX-License-Identifier: GPL-3.0-or-later
-- api.read_result() without versions, for servers of the release before it.
CREATE FUNCTION api.get_result(p_id uuid, p_agent text)
RETURNS TABLE (job_state text, status text, device_info text, logs text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT r.job_state, r.status, r.device_info, r.logs FROM api.read_result(p_id, p_agent, NULL) r;
END
$$;
