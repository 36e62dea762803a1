-- SPDX-License-Identifier: GPL-3.0-or-later
-- The attempt a post belongs to.  With a token: the newest one, which must bear it.  Without:
-- the newest of that agent, else the newest of all, else attempt 0, made here: what arrives before
-- the first claim, or for a job we do not know, is kept too (tfx.purge_strays).
-- newest: no later attempt has begun.  p_lease: the job's lease, if the caller has it, which is of the
-- newest attempt and mostly spares the look.
--   TF409  the token is not that of the newest attempt
CREATE FUNCTION tfx.find_attempt(p_id uuid, p_agent text, p_token text,
                                 p_lease tf.lease DEFAULT NULL, OUT attempt int, OUT week date,
                                 OUT first_number bigint, OUT newest boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_newest tf.attempt;
    v_own tf.attempt;
BEGIN
    newest := true;
    IF (CASE WHEN p_token IS NULL THEN coalesce(p_agent, p_lease.agent) = p_lease.agent
        ELSE p_lease.token::text = lower(p_token) END) THEN
        attempt := p_lease.attempt;
        week := p_lease.attempt_week;
        first_number := 0;
        IF p_lease.attempt > 1 THEN
            SELECT a.first_number INTO first_number FROM tf.attempt a
            WHERE a.job_id = p_id AND a.attempt = p_lease.attempt;
        END IF;
        RETURN;
    END IF;
    SELECT * INTO v_newest FROM tf.attempt a
    WHERE a.job_id = p_id ORDER BY a.attempt DESC LIMIT 1;
    IF p_token IS NOT NULL AND v_newest.token::text IS DISTINCT FROM lower(p_token) THEN
        RAISE EXCEPTION 'job "%" is not leased under this token any more', p_id
            USING ERRCODE = 'TF409';
    ELSIF v_newest.job_id IS NULL THEN
        v_newest := (p_id, 0, coalesce((SELECT j.week FROM tf.job j WHERE j.id = p_id),
                                       tfx.find_week(now())),
                     NULL, NULL, NULL, now(), NULL, NULL, 0, 0, NULL);
        INSERT INTO tf.attempt SELECT v_newest.* ON CONFLICT DO NOTHING;
        INSERT INTO tf.stray (job_id) SELECT p_id
        WHERE NOT EXISTS (SELECT FROM tf.job j WHERE j.id = p_id) ON CONFLICT DO NOTHING;
    ELSIF p_token IS NULL AND p_agent <> v_newest.agent THEN
        SELECT * INTO v_own FROM tf.attempt a
        WHERE a.job_id = p_id AND a.agent = p_agent ORDER BY a.attempt DESC LIMIT 1;
    END IF;
    newest := v_own.job_id IS NULL;
    IF newest THEN
        v_own := v_newest;
    END IF;
    attempt := v_own.attempt;
    week := v_own.week;
    first_number := v_own.first_number;
END
$$;
