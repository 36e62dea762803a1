-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends an upload: the file is visible from now on and takes the place of an earlier one.  With its
-- attachments there, a held job can be claimed; of two uploads of them at once the first counts and the
-- other is dropped, of two artifacts the last.  Repeatable.  queue: where a job can be claimed now; no row: nowhere.
--   TF404  no such upload        TF409  pieces are missing
CREATE FUNCTION api.finish_file(p_file uuid, p_size bigint, p_sha256 bytea) RETURNS TABLE (queue text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_file tf.file;
    v_chunks int;
    v_size bigint;
    v_ready boolean := true;
BEGIN
    -- All uploads of this kind of the attempt, in one order: each must see what became of the others.
    PERFORM FROM tf.file f
    WHERE (f.week, f.job_id, f.kind, f.attempt) = (
        SELECT o.week, o.job_id, o.kind, o.attempt FROM tf.file o
        WHERE o.week = tfx.find_file_week(p_file) AND o.id = p_file)
    ORDER BY f.id FOR UPDATE;
    SELECT * INTO v_file FROM tf.file f WHERE f.week = tfx.find_file_week(p_file) AND f.id = p_file;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'upload "%" does not exist', p_file USING ERRCODE = 'TF404';
    ELSIF v_file.state <> 'open' THEN
        RETURN;
    END IF;
    SELECT count(*), coalesce(sum(octet_length(c.data)), 0) INTO v_chunks, v_size
    FROM tf.chunk c WHERE c.week = v_file.week AND c.file_id = p_file;
    IF v_size <> p_size THEN
        RAISE EXCEPTION 'upload "%" has % bytes of %', p_file, v_size, p_size
            USING ERRCODE = 'TF409';
    END IF;
    IF v_file.kind = 'attachments' THEN
        v_ready := tfx.ready_job(v_file.job_id);
    ELSE
        UPDATE tf.file f SET state = 'replaced', ended_at = now()
        WHERE f.week = v_file.week AND f.job_id = v_file.job_id AND f.kind = v_file.kind
            AND f.attempt = v_file.attempt AND f.state = 'complete';
    END IF;
    UPDATE tf.file f
    SET state = CASE WHEN v_ready THEN 'complete' ELSE 'replaced' END, ended_at = now(),
        size = p_size, sha256 = p_sha256, chunks = v_chunks
    WHERE f.week = v_file.week AND f.id = p_file;
    IF v_file.kind = 'attachments' AND v_ready THEN
        RETURN QUERY SELECT j.queue FROM tf.job j WHERE j.id = v_file.job_id;
    END IF;
END
$$;
