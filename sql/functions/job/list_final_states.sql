-- SPDX-License-Identifier: GPL-3.0-or-later
-- The states that never change again.
CREATE FUNCTION tfx.list_final_states() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY['complete', 'completed', 'cancelled']
$$;
