-- SPDX-License-Identifier: GPL-3.0-or-later
-- Undoes tfx.take_keys() for those of a list of submissions (p_numbers) that made no job.
CREATE FUNCTION tfx.free_keys(p_facts jsonb, p_numbers int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tf.submission_key k
    USING unnest(p_numbers) n CROSS JOIN LATERAL (SELECT p_facts -> (n - 1)) f(it)
    WHERE k.key = f.it ->> 'key' AND k.created_at = now()
        AND (k.submitter = f.it ->> 'client_id' OR k.submitter IS NULL AND f.it ->> 'client_id' IS NULL)
        AND k.job_id = coalesce(f.it ->> 'id', f.it ->> 'new_id')::uuid;
END
$$;
