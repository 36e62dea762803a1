-- SPDX-License-Identifier: GPL-3.0-or-later
-- The priority as the order of claims: ascending nprio is descending priority.  The lowest integer
-- has no counterpart and shares the place of its neighbour.
CREATE FUNCTION tfx.negate_priority(p_priority bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT -greatest(p_priority, -9223372036854775807)
$$;
