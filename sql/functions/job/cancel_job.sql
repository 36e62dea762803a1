-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends a living job as cancelled, at once for whoever asks.  p_by: client id of the caller or NULL.
--   TF400  no such job, or it has ended already        TF503  the job kept moving: try again
CREATE FUNCTION api.cancel_job(p_id uuid, p_by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v record;
BEGIN
    SELECT * INTO v FROM tfx.lock_job(p_id);
    PERFORM tfx.refuse_moving(p_id, v.ret_state);
    IF v.ret_state IS NULL THEN
        RAISE EXCEPTION 'job "%" does not exist', p_id USING ERRCODE = 'TF400';
    ELSIF NOT v.ret_state IN ('held', 'waiting', 'running') THEN
        RAISE EXCEPTION 'job "%" has already ended', p_id USING ERRCODE = 'TF400';
    END IF;
    PERFORM tfx.end_cancelled(v.ret_state, v.ret_row, p_by);
END
$$;
