-- SPDX-License-Identifier: GPL-3.0-or-later
-- The story of a job, at most p_limit entries behind the one whose id is p_after (NULL: from the start).
-- No row: unknown job.  lines: one for each entry: its id (three numbers with dots between), a blank, a
-- JSON object; NULL for none.  last_id: of the last of them.  more: others follow now.  ended: the job
-- has ended, and nothing is left to tell.
-- The last entry of a job that waits says why, and changes; waits is that reason, and an entry with
-- the reason p_waits, which the caller has told already, is left out.
CREATE FUNCTION api.read_timeline(p_id uuid, p_after text, p_limit int, p_waits text)
RETURNS TABLE (lines text, last_id text, more boolean, ended boolean, waits text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_after bigint[] := coalesce(string_to_array(p_after, '.')::bigint[], '{0,0,0}');
    v_final boolean;
BEGIN
    SELECT j.final_state IS NOT NULL INTO v_final FROM tf.job j WHERE j.id = p_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT * FROM tfx.tell_events(p_id, v_after[1])
        UNION ALL SELECT * FROM tfx.tell_phases(p_id, v_after[1])
        UNION ALL SELECT * FROM tfx.tell_wait(p_id)
    ), page AS (
        SELECT s.*, format('%s.%s.%s', s.anchor, s.micros, s.n) AS id,
               row_number() OVER (ORDER BY s.anchor, s.micros, s.n) AS place
        FROM told s
        WHERE CASE WHEN s.what = 'waiting' AND p_waits IS NOT NULL THEN s.why <> p_waits
              ELSE (s.anchor, s.micros, s.n) > (v_after[1], v_after[2], v_after[3]) END
        ORDER BY s.anchor, s.micros, s.n
        LIMIT p_limit + 1
    )
    SELECT string_agg(p.id || ' ' || json_build_object(
               'id', p.id, 'at', tfx.format_micros(p.at), 'what', p.what, 'attempt', p.attempt,
               'who', p.who, 'why', p.why, 'phase', p.phase, 'exit_code', p.exit_code,
               'outcome', p.outcome), E'\n' ORDER BY p.place) FILTER (WHERE p.place <= p_limit),
           max(p.id) FILTER (WHERE p.place = least(p_limit, p.total)), coalesce(max(p.total), 0) > p_limit,
           v_final AND coalesce(max(p.total), 0) <= p_limit,
           (SELECT s.why FROM told s WHERE s.what = 'waiting')
    FROM (SELECT g.*, count(*) OVER () AS total FROM page g) p;
END
$$;
