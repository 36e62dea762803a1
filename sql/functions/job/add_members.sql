-- SPDX-License-Identifier: GPL-3.0-or-later
-- A JSON object (text) with more members at its end.  Text only: nothing of the object is parsed,
-- so its key order, numbers and \u0000 stay as they are.  Most objects end as the server writes them: that is
-- looked up in their bytes, since the end of a text is found only by counting all its characters.
CREATE FUNCTION tfx.add_members(p_object text, p_members text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_bytes bytea := convert_to(p_object, 'UTF8');
    v_last int := length(v_bytes) - 1;
BEGIN
    IF v_last > 0 AND get_byte(v_bytes, v_last) = ascii('}')
            AND chr(get_byte(v_bytes, v_last - 1)) IN ('"', '}', ']', 'e', 'l') THEN
        RETURN convert_from(substring(v_bytes FOR v_last), 'UTF8') || ', ' || p_members || '}';
    ELSIF p_object ~ '^\s*\{\s*\}\s*$' THEN
        RETURN '{' || p_members || '}';
    END IF;
    RETURN regexp_replace(p_object, '\s*\}\s*$', '') || ', ' || p_members || '}';
END
$$;
