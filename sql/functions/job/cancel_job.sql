-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends a living job as cancelled.  p_by: client id of the caller or NULL.
--   TF400  no such job, or it has ended already
CREATE FUNCTION api.cancel_job(p_id uuid, p_by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v record;
BEGIN
    SELECT * INTO v FROM tfx.take_job(p_id, NULL);
    IF v.ret_state IS NULL THEN
        RAISE EXCEPTION 'job "%" does not exist', p_id USING ERRCODE = 'TF400';
    ELSIF (v.ret_row).job_id IS NULL THEN
        RAISE EXCEPTION 'job "%" has already ended', p_id USING ERRCODE = 'TF400';
    END IF;
    PERFORM tfx.end_job(v.ret_state, v.ret_row, 'cancel', 'cancelled', 'cancelled', p_by);
END
$$;
