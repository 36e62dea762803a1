-- SPDX-License-Identifier: GPL-3.0-or-later
-- The numbers of jobs that may belong to a list (tfx.render_listed() decides), by the index that fits
-- the query best: strictly between p_after and p_before, up to p_count, in ascending order, or
-- descending if p_down.  p_living: only unfinished ones are wanted.
CREATE FUNCTION tfx.scan_jobs(p_query jsonb, p_living boolean, p_after bigint, p_before bigint,
                              p_down boolean, p_count int) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    v_queue text := p_query ->> 'queue';
    v_tags text[] := ARRAY(SELECT jsonb_array_elements_text(p_query -> 'tags'));
BEGIN
    IF v_queue IS NOT NULL AND p_living THEN
        RETURN ARRAY(SELECT u.seq FROM unnest(tfx.list_living(v_queue)) u(seq)
                     WHERE u.seq > p_after AND u.seq < p_before
                     ORDER BY CASE WHEN p_down THEN -u.seq ELSE u.seq END LIMIT p_count);
    ELSIF v_queue IS NOT NULL THEN
        RETURN tfx.scan_queue(v_queue, p_after, p_before, p_down, p_count);
    ELSIF p_living OR v_tags = '{}' AND tfx.wants_living(p_query) THEN
        RETURN tfx.scan_unfinished(p_after, p_before, p_down, p_count);
    ELSIF v_tags <> '{}' THEN
        -- Of several tags that must all be there one leads.
        RETURN tfx.scan_tags(CASE WHEN (p_query ->> 'all')::boolean THEN v_tags[1:1] ELSE v_tags END,
                             p_after, p_before, p_down, p_count);
    ELSIF p_down THEN
        RETURN ARRAY(SELECT j.seq FROM tf.job j WHERE j.seq > p_after AND j.seq < p_before
                     ORDER BY j.seq DESC LIMIT p_count);
    END IF;
    RETURN ARRAY(SELECT j.seq FROM tf.job j WHERE j.seq > p_after AND j.seq < p_before
                 ORDER BY j.seq LIMIT p_count);
END
$$;
