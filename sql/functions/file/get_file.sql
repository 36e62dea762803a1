-- SPDX-License-Identifier: GPL-3.0-or-later
-- The newest finished file of a job: attachments, or the artifact of an attempt (NULL: the newest).
-- sha256 in hex.  No row: none.
-- Only agents may fetch attachments, and the one that has just claimed the job does it before it says
-- anything else: that confirms the claim and gives it time to receive and unpack them, if it
-- has no lease of its own.
-- p_agent, p_token: who fetches attachments, as in tfx.hear_agent().
--   TF409  the token is stale
CREATE FUNCTION api.get_file(p_id uuid, p_kind text, p_agent text DEFAULT NULL,
                             p_token text DEFAULT NULL, p_attempt int DEFAULT NULL)
RETURNS TABLE (file_id text, size bigint, sha256 text, chunks int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_week date;
    v_attempt int := 0;
BEGIN
    IF p_kind = 'attachments' THEN
        SELECT j.week INTO v_week FROM tf.job j WHERE j.id = p_id;
        UPDATE tf.lease l
        SET confirmed = now(), lease_until = greatest(l.lease_until, 
                now() + make_interval(secs => tfx.find_lease_seconds(p_id, 'attachments')))
        WHERE l.job_id = p_id AND l.confirmed IS NULL AND l.agent = p_agent AND l.lease_s IS NULL;
        PERFORM tfx.hear_agent(p_id, p_agent, p_token);
    ELSE
        SELECT a.week, a.attempt INTO v_week, v_attempt FROM tfx.choose_attempt(p_id, p_attempt) a;
    END IF;
    RETURN QUERY
    SELECT f.id::text, f.size, encode(f.sha256, 'hex'), f.chunks
    FROM tf.file f
    WHERE f.week = v_week AND f.job_id = p_id AND f.kind = p_kind::tf.file_kind
        AND f.attempt = v_attempt AND f.state = 'complete'
    ORDER BY f.ended_at DESC LIMIT 1;
END
$$;
