-- SPDX-License-Identifier: GPL-3.0-or-later
-- The numbers of the jobs that have one of the tags; see tfx.scan_jobs().  Each tag is read by itself, as
-- deep as the whole page may need: together they would be sorted from end to end.
CREATE FUNCTION tfx.scan_tags(p_tags text[], p_after bigint, p_before bigint, p_down boolean,
                              p_count int) RETURNS bigint[]
LANGUAGE plpgsql AS $$
BEGIN
    IF p_down THEN
        RETURN ARRAY(
            SELECT DISTINCT s.seq FROM (SELECT DISTINCT u.tag FROM unnest(p_tags) u(tag)) t
            CROSS JOIN LATERAL (
                SELECT g.seq FROM tf.job_tag g
                WHERE g.tag = t.tag COLLATE "C" AND g.seq > p_after AND g.seq < p_before
                ORDER BY g.tag DESC, g.seq DESC LIMIT p_count) s
            ORDER BY s.seq DESC LIMIT p_count);
    END IF;
    RETURN ARRAY(
        SELECT DISTINCT s.seq FROM (SELECT DISTINCT u.tag FROM unnest(p_tags) u(tag)) t
        CROSS JOIN LATERAL (
            SELECT g.seq FROM tf.job_tag g
            WHERE g.tag = t.tag COLLATE "C" AND g.seq > p_after AND g.seq < p_before
            ORDER BY g.tag, g.seq LIMIT p_count) s
        ORDER BY s.seq LIMIT p_count);
END
$$;
