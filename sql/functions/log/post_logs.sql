-- SPDX-License-Identifier: GPL-3.0-or-later
-- api.post_log() for many fragments in one transaction: the arrays are the parameters of each; its bytes are
-- p_lengths of p_data from p_starts on (from 1), at most 64 KiB.  Those of one job keep their order.
-- A row for each request that is to be made alone, since nothing was done for it (its index from 0): its
-- job does not run under this agent or token, or somebody else holds its attempt, and the others do not wait for
-- that.  Attempts are locked before fragments are written, here and there: whom we meet at a fragment
-- waits for us.
CREATE FUNCTION api.post_logs(p_ids uuid[], p_agents text[], p_tokens text[], p_types text[],
                              p_phases text[], p_numbers bigint[], p_ats timestamptz[],
                              p_starts int[], p_lengths int[], p_data bytea)
RETURNS TABLE (request int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_ours uuid[];
    v_done bigint[];
BEGIN
    PERFORM tfx.touch_leases(p_ids, p_agents, p_tokens);
    v_ours := ARRAY(SELECT a.job_id FROM tf.lease l
                    JOIN tf.attempt a ON a.job_id = l.job_id AND a.attempt = l.attempt
                    WHERE l.job_id = ANY (p_ids) FOR NO KEY UPDATE OF a SKIP LOCKED);
    WITH posted AS MATERIALIZED (
        SELECT p.n, a.week, a.job_id, a.attempt, p.type::tf.log_type, p.phase::tf.phase_name,
               -- Absurd numbers stay as they are: adding to them could overflow.
               p.number + CASE WHEN p.number BETWEEN 0 AND 1000000000000 THEN a.first_number
                          ELSE 0 END AS number,
               p.at, substring(p_data FROM p.start FOR p.length) AS data
        FROM unnest(p_ids, p_agents, p_tokens, p_types, p_phases, p_numbers, p_ats, p_starts,
                    p_lengths) WITH ORDINALITY
            p(id, agent, token, type, phase, number, at, start, length, n)
        JOIN tf.lease l ON l.job_id = p.id AND l.job_id = ANY (v_ours)
            AND CASE WHEN p.token IS NULL THEN l.agent = p.agent
                ELSE l.token::text = lower(p.token) END
        JOIN tf.attempt a ON a.job_id = l.job_id AND a.attempt = l.attempt
    ), kept AS (
        INSERT INTO tf.log AS l (week, job_id, attempt, type, phase, number, sha256, seq, at, data)
        SELECT o.week, o.job_id, o.attempt, o.type, o.phase, o.number, sha256(o.data),
               nextval('tf.log_seq'), o.at, o.data
        FROM (SELECT * FROM posted p ORDER BY p.job_id, p.n) o
        ON CONFLICT DO NOTHING
        RETURNING l.job_id, l.attempt
    ), counted AS (
        UPDATE tf.attempt a SET version = a.version + c.count
        FROM (SELECT k.job_id, k.attempt, count(*) FROM kept k GROUP BY k.job_id, k.attempt) c
        WHERE a.job_id = c.job_id AND a.attempt = c.attempt
    )
    SELECT array_agg(p.n) INTO v_done FROM posted p;
    IF cardinality(v_done) IS DISTINCT FROM cardinality(p_ids) THEN
        RETURN QUERY SELECT u.n::int - 1 FROM unnest(p_ids) WITH ORDINALITY u(id, n)
        WHERE NOT coalesce(u.n = ANY (v_done), false);
    END IF;
END
$$;
