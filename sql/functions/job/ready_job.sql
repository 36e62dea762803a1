-- SPDX-License-Identifier: GPL-3.0-or-later
-- The attachments of a held job have arrived: it can be claimed from now on.  false: it was not
-- held for them (any more).
CREATE FUNCTION api.ready_job(p_id uuid) RETURNS TABLE (ready boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_hold tf.hold;
BEGIN
    DELETE FROM tf.hold h WHERE h.job_id = p_id AND h.why = 'attachments'
    RETURNING h.* INTO v_hold;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false;
        RETURN;
    END IF;
    PERFORM tfx.release_held(v_hold);
    RETURN QUERY SELECT true;
END
$$;
