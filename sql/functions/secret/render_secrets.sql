-- SPDX-License-Identifier: GPL-3.0-or-later
-- The sealed secrets for a claimed job, as a JSON list: number of the naming, key_id, data_key and
-- value (base64).  What cannot be read is left out, and so is what is behind the limit.  NULL: the
-- job names none.
CREATE FUNCTION tfx.render_secrets(p_id uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_client text;
BEGIN
    IF NOT EXISTS (SELECT FROM tf.job_secret n WHERE n.job_id = p_id) THEN
        RETURN NULL;
    END IF;
    SELECT j.submitter INTO v_client FROM tf.job j WHERE j.id = p_id;
    RETURN (
        SELECT coalesce(json_agg(json_build_object(
                   'number', r.number, 'key_id', r.key_id,
                   'data_key', translate(encode(r.data_key, 'base64'), E'\n', ''),
                   'value', translate(encode(r.value, 'base64'), E'\n', '')) ORDER BY r.number), '[]')
        FROM (SELECT u.*, sum(octet_length(u.value)) OVER (ORDER BY u.number) AS bytes
              FROM (SELECT b.number, b.key_id, b.data_key, b.value
                    FROM tf.secret b WHERE b.job_id = p_id
                    UNION ALL
                    SELECT n.number, s.key_id, s.data_key, s.value
                    FROM tf.job_secret n
                    CROSS JOIN LATERAL (
                        SELECT * FROM tf.secret o
                        WHERE o.client_id = v_client AND o.path = n.path AND o.job_id IS NULL
                        LIMIT 1) s
                    WHERE n.job_id = p_id AND NOT s.single_use
                        AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
                        -- a path spent on this job stays spent
                        AND NOT EXISTS (SELECT FROM tf.secret b
                                        WHERE b.job_id = p_id AND b.path = n.path)) u) r
        WHERE r.bytes <= tfx.find_secrets_limit());
END
$$;
