-- SPDX-License-Identifier: GPL-3.0-or-later
-- A moment with microseconds: 2024-01-02T03:04:05.123456+00:00.
CREATE FUNCTION tfx.format_micros(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
$$;
