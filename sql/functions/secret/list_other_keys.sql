-- SPDX-License-Identifier: GPL-3.0-or-later
-- Secrets behind p_after whose data key another master key wraps than p_key_id, in the order of
-- their ids; data_key in base64.
CREATE FUNCTION tfx.list_other_keys(p_key_id text, p_after bigint, p_limit int)
RETURNS TABLE (id bigint, client_id text, path text, key_id text, data_key text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.client_id, s.path, s.key_id, translate(encode(s.data_key, 'base64'), E'\n', '')
    FROM tf.secret s
    WHERE s.id > p_after AND s.key_id <> p_key_id
    ORDER BY s.id LIMIT p_limit;
END
$$;
