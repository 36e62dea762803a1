-- SPDX-License-Identifier: GPL-3.0-or-later
-- A short name for a state of things: another text has another name.
CREATE FUNCTION tfx.name_version(p_facts text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN left(encode(sha256(convert_to(p_facts, 'UTF8')), 'hex'), 32);
END
$$;
