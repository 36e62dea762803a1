-- SPDX-License-Identifier: GPL-3.0-or-later
-- A long text (UTF-8 as bytes) in parts of at most 64 KiB, none of which ends in mid-character.
CREATE FUNCTION tfx.cut_fragment(p_data bytea) RETURNS TABLE (part int, data bytea)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_start int := 0;
    v_end int;
BEGIN
    part := 0;
    WHILE v_start < octet_length(p_data) LOOP
        v_end := least(v_start + 65536, octet_length(p_data));
        -- The bytes behind the first of a character are 10xxxxxx; there are three at most.
        FOR v_step IN 1..3 LOOP
            EXIT WHEN v_end = octet_length(p_data) OR get_byte(p_data, v_end) & 192 <> 128;
            v_end := v_end - 1;
        END LOOP;
        data := substring(p_data FROM v_start + 1 FOR v_end - v_start);
        RETURN NEXT;
        part := part + 1;
        v_start := v_end;
    END LOOP;
END
$$;
