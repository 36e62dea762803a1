-- SPDX-License-Identifier: GPL-3.0-or-later
-- All clients for a person at a terminal; tokens are the refresh tokens that still work.
CREATE FUNCTION tfx.list_client_rows()
RETURNS TABLE (client_id text, role text, has_secret boolean, tokens bigint, max_priority text,
               max_reservation_time text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT c.client_id, coalesce(c.role, 'contributor')::text, c.secret_hash IS NOT NULL,
           (SELECT count(*) FROM tf.refresh_token t
            WHERE t.client_id = c.client_id AND t.revoked_at IS NULL AND t.expires_at > now()),
           coalesce(c.max_priority, '{}')::text, coalesce(c.max_reservation_time, '{}')::text
    FROM tf.client c ORDER BY c.client_id;
END
$$;
