-- SPDX-License-Identifier: GPL-3.0-or-later
-- Spends the single-use secrets that jobs just claimed name: each is bound to the job and to the
-- first naming there, and is gone for everybody else.  A job claimed again keeps what it has.
-- Rows are locked in the order of their ids: two claims never wait for each other.
-- LIMIT keeps the lookups apart, as in tfx.render_claims.
CREATE FUNCTION tfx.bind_secrets(p_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    FOR v IN
        SELECT s.id, n.job_id, n.number
        FROM (SELECT o.job_id, o.path, min(o.number) AS number FROM tf.job_secret o
              WHERE o.job_id = ANY (p_ids) GROUP BY o.job_id, o.path) n
        CROSS JOIN LATERAL (SELECT o.submitter, o.seq FROM tf.job o WHERE o.id = n.job_id LIMIT 1) j
        CROSS JOIN LATERAL (
            SELECT o.id FROM tf.secret o
            WHERE o.client_id = j.submitter AND o.path = n.path AND o.job_id IS NULL
                AND o.single_use LIMIT 1) s
        WHERE NOT EXISTS (SELECT FROM tf.secret b WHERE b.job_id = n.job_id AND b.path = n.path)
        ORDER BY s.id, j.seq
    LOOP
        -- Looked at again once it is locked: another claim may have been first, of this batch (the
        -- oldest job has it) or of another.
        UPDATE tf.secret s SET job_id = v.job_id, number = v.number
        WHERE s.id = v.id AND s.job_id IS NULL AND s.single_use;
    END LOOP;
END
$$;
