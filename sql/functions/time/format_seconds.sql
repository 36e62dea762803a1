-- SPDX-License-Identifier: GPL-3.0-or-later
-- A moment as clients read created_at and updated_at: 2024-01-02T03:04:05Z.
CREATE FUNCTION tfx.format_seconds(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;
