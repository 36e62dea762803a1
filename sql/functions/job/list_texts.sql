-- SPDX-License-Identifier: GPL-3.0-or-later
-- A JSON list of texts as an array.
CREATE FUNCTION tfx.list_texts(p_list jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ARRAY(SELECT jsonb_array_elements_text(p_list));
END
$$;
