-- SPDX-License-Identifier: GPL-3.0-or-later
-- The Monday (UTC) of a moment's week: the value of every column named week.
CREATE FUNCTION tfx.find_week(p_at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_trunc('week', p_at AT TIME ZONE 'UTC')::date
$$;
