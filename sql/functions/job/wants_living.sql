-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether a list (api.list_jobs) can hold unfinished jobs only.
CREATE FUNCTION tfx.wants_living(p_query jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((p_query ->> 'active')::boolean, false)
        OR coalesce(NOT p_query -> 'states' ?| tfx.list_final_states(), false)
$$;
