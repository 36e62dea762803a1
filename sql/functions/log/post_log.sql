-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps one fragment of a log.  The same phase, number and bytes again are stored once; other bytes
-- under a number already used are kept after them.  Unknown job: kept, no error.
-- A long fragment becomes several rows, so that whoever reads never has much in memory; each bears the
-- whole's digest and its own place.
--   TF409  the token is stale
CREATE FUNCTION api.post_log(p_id uuid, p_agent text, p_token text, p_type text, p_phase text,
                             p_number bigint, p_at timestamptz, p_data bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v record;
    v_lease tf.lease := tfx.find_lease(p_id);
    v_number bigint := p_number;
    v_sha256 bytea := sha256(p_data);
BEGIN
    v := tfx.find_attempt(p_id, p_agent, p_token, v_lease);
    IF v.newest THEN
        PERFORM tfx.touch_lease(v_lease, p_agent, p_token);
    END IF;
    -- Before the fragment: api.post_logs().
    PERFORM FROM tf.attempt a WHERE a.job_id = p_id AND a.attempt = v.attempt FOR NO KEY UPDATE;
    -- Absurd numbers stay as they are: adding to them could overflow.
    IF p_number BETWEEN 0 AND 1000000000000 THEN
        v_number := p_number + v.first_number;
    END IF;
    IF octet_length(p_data) <= 65536 THEN
        INSERT INTO tf.log (week, job_id, attempt, type, phase, number, sha256, seq, at, data)
        VALUES (v.week, p_id, v.attempt, p_type::tf.log_type, p_phase::tf.phase_name, v_number,
                v_sha256, nextval('tf.log_seq'), p_at, p_data)
        ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO tf.log (week, job_id, attempt, type, phase, number, sha256, seq, at, data)
        SELECT v.week, p_id, v.attempt, p_type::tf.log_type, p_phase::tf.phase_name, v_number,
               sha256(v_sha256 || int4send(c.part)), nextval('tf.log_seq'), p_at, c.data
        FROM tfx.cut_fragment(p_data) c
        ON CONFLICT DO NOTHING;
    END IF;
    IF FOUND THEN
        PERFORM tfx.count_change(p_id, v.attempt);
    END IF;
END
$$;
