-- SPDX-License-Identifier: GPL-3.0-or-later
-- The part of a job's story that its phases are, for tfx.tell_events().  A phase stands behind the last
-- event before it, and never before the claim of its attempt.
CREATE FUNCTION tfx.tell_phases(p_id uuid, p_from bigint)
RETURNS TABLE (anchor bigint, micros bigint, n int, at timestamptz, what text, attempt int, who text,
               why text, phase text, exit_code bigint, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.id, (extract(epoch FROM t.at) * 1000000)::bigint,
           2 + 2 * array_position(enum_range(NULL::tf.phase_name), p.phase) + t.ended::int,
           t.at, t.what, p.attempt,
           (SELECT a.agent FROM tf.attempt a WHERE a.job_id = p_id AND a.attempt = p.attempt),
           NULL, p.phase::text, CASE WHEN t.ended THEN p.exit_code END, NULL
    FROM tf.phase p
    CROSS JOIN LATERAL (VALUES ('phase_started', p.started_at, false), ('phase_ended', p.ended_at, true))
        t(what, at, ended)
    CROSS JOIN LATERAL (
        SELECT max(e.id) AS id FROM tf.event e
        WHERE e.job_id = p_id
            AND (e.at <= t.at OR e.event = 'claim' AND e.attempt = p.attempt)) s
    WHERE p.job_id = p_id AND t.at IS NOT NULL AND s.id >= p_from;
END
$$;
