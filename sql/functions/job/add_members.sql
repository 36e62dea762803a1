-- SPDX-License-Identifier: GPL-3.0-or-later
-- A JSON object (text) with more members at its end.  Text only: nothing of the object is parsed,
-- so its key order, numbers and \u0000 stay as they are.
CREATE FUNCTION tfx.add_members(p_object text, p_members text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_object ~ '^\s*\{\s*\}\s*$' THEN '{' || p_members || '}'
           ELSE regexp_replace(p_object, '\s*\}\s*$', '') || ', ' || p_members || '}' END
$$;
