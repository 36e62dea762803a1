-- SPDX-License-Identifier: GPL-3.0-or-later
-- A random UUID (version 7) whose time is the start of the given week: an id of a file names its
-- partition, and nobody has to look it up in all of them.
CREATE FUNCTION tfx.new_file_id(p_week date) RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM p_week) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;
