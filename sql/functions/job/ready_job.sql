-- SPDX-License-Identifier: GPL-3.0-or-later
-- The attachments of a held job have arrived: it can be claimed from now on.  false: it was not
-- held for them (any more).
CREATE FUNCTION tfx.ready_job(p_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_hold tf.hold;
BEGIN
    DELETE FROM tf.hold h WHERE h.job_id = p_id AND h.why = 'attachments'
    RETURNING h.* INTO v_hold;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tfx.release_held(v_hold);
    RETURN true;
END
$$;
