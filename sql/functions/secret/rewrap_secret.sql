-- SPDX-License-Identifier: GPL-3.0-or-later
-- Stores a data key wrapped anew.  false: the secret was deleted or written again meanwhile, with
-- another data key (p_old: the wrapped one that was read).
CREATE FUNCTION tfx.rewrap_secret(p_id bigint, p_old bytea, p_key_id text, p_data_key bytea)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tf.secret s SET key_id = p_key_id, data_key = p_data_key
    WHERE s.id = p_id AND s.data_key = p_old;
    RETURN FOUND;
END
$$;
