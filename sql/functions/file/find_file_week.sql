-- SPDX-License-Identifier: GPL-3.0-or-later
-- The week of a file, out of its id (tfx.new_file_id).
CREATE FUNCTION tfx.find_file_week(p_file uuid) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT tfx.find_week(to_timestamp(('x' || left(replace(p_file::text, '-', ''), 12))::bit(48)::bigint
                                      / 1000.0))
$$;
