-- SPDX-License-Identifier: GPL-3.0-or-later
-- How many jobs are ahead of a waiting or held one in its queue; 0 = next.
--   TF410  it does not wait, or there is no such job
CREATE FUNCTION api.get_job_position(p_id uuid) RETURNS TABLE ("position" bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_place record;
BEGIN
    SELECT j.queue, p.nprio, j.seq INTO v_place
    FROM tf.job j
    CROSS JOIN LATERAL (SELECT tfx.negate_priority(j.priority) AS nprio) p
    WHERE j.id = p_id
        AND (EXISTS (SELECT FROM tf.wait w
                     WHERE w.queue = j.queue AND w.nprio = p.nprio AND w.seq = j.seq)
            OR EXISTS (SELECT FROM tf.hold h WHERE h.job_id = j.id));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'job "%" is not waiting', p_id USING ERRCODE = 'TF410';
    END IF;
    RETURN QUERY SELECT tfx.count_ahead(v_place.queue, v_place.nprio, v_place.seq);
END
$$;
