-- SPDX-License-Identifier: GPL-3.0-or-later
-- Binds a submission's key (p_facts: key, key_sha256 of the body, client_id) to the job it is about to
-- make.  NULL: it is bound now; else the job it was bound to within the last 24 hours.  Of two
-- submissions at once the second waits here for the first.
--   TF422  the key was used with another body
CREATE FUNCTION tfx.take_key(p_facts jsonb, p_id uuid) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_known tf.submission_key;
BEGIN
    INSERT INTO tf.submission_key AS k (submitter, key, sha256, job_id)
    VALUES (p_facts ->> 'client_id', p_facts ->> 'key', decode(p_facts ->> 'key_sha256', 'hex'), p_id)
    ON CONFLICT ON CONSTRAINT one_submission_for_each_key DO UPDATE
    SET sha256 = EXCLUDED.sha256, job_id = EXCLUDED.job_id, created_at = EXCLUDED.created_at
    WHERE k.created_at <= now() - interval '24 h';
    IF FOUND THEN
        RETURN NULL;
    END IF;
    -- The row is locked by the attempt to replace it: it cannot go before we have read it.
    SELECT * INTO v_known FROM tf.submission_key k
    WHERE k.submitter = p_facts ->> 'client_id' AND k.key = p_facts ->> 'key'
        -- IS NOT DISTINCT FROM would read the whole index
        OR p_facts ->> 'client_id' IS NULL AND k.submitter IS NULL AND k.key = p_facts ->> 'key';
    IF v_known.sha256 <> decode(p_facts ->> 'key_sha256', 'hex') THEN
        RAISE EXCEPTION 'this Idempotency-Key was used with another body' USING ERRCODE = 'TF422';
    END IF;
    RETURN v_known.job_id;
END
$$;
