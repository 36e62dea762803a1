-- SPDX-License-Identifier: GPL-3.0-or-later
-- Why a submission names secrets that its sender cannot use; NULL: it can.  One that is bound to this very
-- job counts as there: the same submission may come again.  It cannot: an anonymous caller; a path that
-- does not exist or has expired; more than a claim can carry.
CREATE FUNCTION tfx.check_secrets(p_facts jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_client text := p_facts ->> 'client_id';
    v_missing text;
    v_bytes bigint;
BEGIN
    IF v_client IS NULL THEN
        RETURN 'secrets belong to a client: log in to use them';
    END IF;
    SELECT string_agg(DISTINCT t.path COLLATE "C", ', ' ORDER BY t.path COLLATE "C")
               FILTER (WHERE s.bytes IS NULL),
           sum(s.bytes)
    INTO v_missing, v_bytes
    FROM jsonb_array_elements_text(p_facts -> 'secrets') t(path)
    LEFT JOIN LATERAL (
        SELECT octet_length(f.value) AS bytes FROM tf.secret f
        WHERE f.client_id = v_client AND f.path = t.path AND f.job_id IS NULL
            AND (f.expires_at IS NULL OR f.expires_at > clock_timestamp())
        UNION ALL
        SELECT octet_length(b.value) FROM tf.secret b
        WHERE b.job_id = coalesce(p_facts ->> 'id', p_facts ->> 'new_id')::uuid AND b.client_id = v_client AND b.path = t.path
        LIMIT 1) s ON true;
    IF v_missing IS NOT NULL THEN
        RETURN 'inaccessible secret paths: ' || left(v_missing, 1000);
    ELSIF v_bytes > tfx.find_secrets_limit() THEN
        RETURN format('the secrets of this job have more than %s bytes', tfx.find_secrets_limit());
    END IF;
    RETURN NULL;
END
$$;
