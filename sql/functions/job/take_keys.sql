-- SPDX-License-Identifier: GPL-3.0-or-later
-- Binds the keys of a list of submissions (api.submit_jobs), but for p_gone, to the jobs they are about to make.
-- Returns those whose key is known, or that follow one of the list with the same.  Of two submissions at
-- once the second waits here for the first.
CREATE FUNCTION tfx.take_keys(p_facts jsonb, p_gone int[]) RETURNS int[]
LANGUAGE plpgsql AS $$
DECLARE
    v_known int[];
BEGIN
    WITH asked AS MATERIALIZED (
        SELECT u.* FROM (
            SELECT e.n::int AS number, e.f ->> 'client_id' AS submitter, e.f ->> 'key' AS key,
                   decode(e.f ->> 'key_sha256', 'hex') AS sha256,
                   coalesce(e.f ->> 'id', e.f ->> 'new_id')::uuid AS job_id,
                   row_number() OVER (PARTITION BY e.f ->> 'client_id', e.f ->> 'key' ORDER BY e.n) AS nth
            FROM jsonb_array_elements(p_facts) WITH ORDINALITY e(f, n)
            WHERE e.f ? 'key') u
        WHERE u.number <> ALL (p_gone)
    ), bound AS (
        INSERT INTO tf.submission_key AS k (submitter, key, sha256, job_id)
        SELECT a.submitter, a.key, a.sha256, a.job_id
        FROM asked a WHERE a.nth = 1
        ORDER BY a.submitter COLLATE "C", a.key COLLATE "C"
        ON CONFLICT DO NOTHING
        RETURNING coalesce(k.submitter, '') AS submitter, k.submitter IS NULL AS anonymous, k.key
    )
    SELECT array_agg(a.number) INTO v_known
    FROM asked a
    LEFT JOIN bound b ON b.key = a.key AND b.submitter = coalesce(a.submitter, '')
        AND b.anonymous = (a.submitter IS NULL) AND a.nth = 1
    WHERE b.key IS NULL;
    RETURN coalesce(v_known, '{}');
END
$$;
