-- SPDX-License-Identifier: GPL-3.0-or-later
-- Stores a sealed secret, in place of the one under this path.  p_expire_after: seconds, NULL is
-- never.  The answer tells when it expires.  A few expired ones go with every call, after the
-- row was written and without waiting for others.
CREATE FUNCTION api.put_secret(p_client_id text, p_path text, p_key_id text, p_data_key bytea,
                               p_value bytea, p_single_use boolean, p_expire_after bigint)
RETURNS TABLE (body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_expires_at timestamptz := now() + make_interval(secs => p_expire_after);
BEGIN
    INSERT INTO tf.secret AS s (client_id, path, key_id, data_key, value, single_use, expires_at)
    VALUES (p_client_id, p_path, p_key_id, p_data_key, p_value, p_single_use, v_expires_at)
    ON CONFLICT (client_id, path) WHERE job_id IS NULL DO UPDATE
    SET key_id = EXCLUDED.key_id, data_key = EXCLUDED.data_key, value = EXCLUDED.value,
        single_use = EXCLUDED.single_use, expires_at = EXCLUDED.expires_at, updated_at = now();
    DELETE FROM tf.secret d WHERE d.id = ANY (ARRAY(
        SELECT o.id FROM tf.secret o WHERE o.expires_at <= now()
        ORDER BY o.expires_at LIMIT 10 FOR UPDATE SKIP LOCKED));
    RETURN QUERY SELECT format('{"expires_at": %s}', coalesce(
        to_json(tfx.format_micros(v_expires_at))::text, 'null'));
END
$$;
