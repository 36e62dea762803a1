-- SPDX-License-Identifier: GPL-3.0-or-later
-- Bytes of secrets, sealed, that the answer to one claim carries at most.
CREATE FUNCTION tfx.find_secrets_limit() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 4194304::bigint
$$;
