-- SPDX-License-Identifier: GPL-3.0-or-later
-- A JSON object (text) with more members at its end.  Text only: nothing of the object is parsed,
-- so its key order, numbers and \u0000 stay as they are.  Most objects end as the server writes them; an
-- expression that has to look for the end costs more than all else of a claim's answer.
CREATE FUNCTION tfx.add_members(p_object text, p_members text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_open text := left(p_object, -1);
BEGIN
    IF right(p_object, 1) = '}' AND right(v_open, 1) IN ('"', '}', ']', 'e', 'l') THEN
        RETURN v_open || ', ' || p_members || '}';
    ELSIF p_object ~ '^\s*\{\s*\}\s*$' THEN
        RETURN '{' || p_members || '}';
    END IF;
    RETURN regexp_replace(p_object, '\s*\}\s*$', '') || ', ' || p_members || '}';
END
$$;
