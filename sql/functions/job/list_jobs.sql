-- SPDX-License-Identifier: GPL-3.0-or-later
-- One page of a list of jobs.  p_query: {"queue": text, "tags": [text], "all": tags must all be there,
-- "states": [text], "active": only unfinished ones, "days": n, "limit": n}; what is not given does not
-- matter, but one of the last two is: with limit it is all jobs, newest first; without, the unfinished
-- ones and those of the last days, in the order of arrival, 1,000 a page.
-- p_at, p_floor: NULL for the first page, then what the page before returned; next_at NULL: it was the
-- last.  body: members of a JSON list, NULL for none: a page looks at a bounded number of jobs, and
-- may find fewer than it could show.
CREATE FUNCTION api.list_jobs(p_query jsonb, p_at bigint, p_floor bigint)
RETURNS TABLE (body text, next_at bigint, floor_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    c_end CONSTANT bigint := 9223372036854775807;
    v_limit int := (p_query ->> 'limit')::int;
    v_rows int := coalesce(v_limit, 1000);
    -- What is filtered is looked at in larger steps, but not by each of a thousand tags.
    v_count int := v_rows + 1;
    v_at bigint := coalesce(p_at, CASE WHEN v_limit IS NULL THEN 0 ELSE c_end END);
    v_seqs bigint[];
BEGIN
    IF p_query ?| ARRAY['tags', 'states', 'active'] THEN
        v_count := greatest(v_count, 5000 / greatest(1, jsonb_array_length(
            coalesce(p_query -> 'tags', '[]'))));
    END IF;
    floor_at := p_floor;
    IF v_limit IS NULL AND floor_at IS NULL THEN
        floor_at := tfx.find_first_since(now() - make_interval(days => (p_query ->> 'days')::int));
    END IF;
    IF v_limit IS NOT NULL THEN
        v_seqs := tfx.scan_jobs(p_query, false, 0, v_at, true, v_count);
    ELSIF v_at < floor_at - 1 THEN
        v_seqs := tfx.scan_jobs(p_query, true, v_at, floor_at, false, v_count);
        IF cardinality(v_seqs) = 0 THEN
            v_at := floor_at - 1;
        END IF;
    END IF;
    IF v_limit IS NULL AND v_at >= floor_at - 1 THEN
        v_seqs := tfx.scan_jobs(p_query, false, v_at, c_end, false, v_count);
    END IF;
    SELECT string_agg(r.line, ',' ORDER BY r.n) FILTER (WHERE r.n <= v_rows),
           max(r.seq) FILTER (WHERE r.n = v_rows AND r.last > v_rows)
    INTO body, next_at
    FROM (SELECT l.*, count(*) OVER () AS last
          FROM tfx.render_listed(p_query, v_seqs, v_rows + 1) l) r;
    IF next_at IS NULL AND cardinality(v_seqs) = v_count THEN
        next_at := v_seqs[v_count];
    ELSIF next_at IS NULL AND v_at < floor_at - 1 THEN
        next_at := floor_at - 1;
    END IF;
    RETURN NEXT;
END
$$;
