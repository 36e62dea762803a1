-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps one fragment of a log.  The same phase, number and bytes again are stored once; other bytes
-- under a number already used are kept after them.  Unknown job: kept, no error.
--   TF409  the token is stale
CREATE FUNCTION api.post_log(p_id uuid, p_agent text, p_token text, p_type text, p_phase text,
                             p_number bigint, p_at timestamptz, p_data bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v record;
BEGIN
    SELECT * INTO v FROM tfx.find_attempt(p_id, p_agent, p_token);
    IF v.newest THEN
        PERFORM tfx.touch_lease(p_id, p_agent, p_token IS NOT NULL);
    END IF;
    INSERT INTO tf.log (week, job_id, attempt, type, phase, number, sha256, seq, at, data)
    VALUES (v.week, p_id, v.attempt, p_type::tf.log_type, p_phase::tf.phase_name,
            -- Absurd numbers stay as they are: adding to them could overflow.
            p_number + CASE WHEN p_number BETWEEN 0 AND 1000000000000
                            THEN v.first_number ELSE 0 END,
            sha256(p_data), nextval('tf.log_seq'), p_at, p_data)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM tfx.count_change(p_id, v.attempt);
    END IF;
END
$$;
