-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lines with more lines (a JSON list) appended; the last 100 are kept.
CREATE FUNCTION tfx.keep_last_lines(p_lines text[], p_more jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(s.line ORDER BY s.n)
    FROM (SELECT u.line, u.n
          FROM unnest(p_lines || ARRAY(SELECT jsonb_array_elements_text(p_more)))
              WITH ORDINALITY u(line, n)
          ORDER BY u.n DESC LIMIT 100) s
$$;
