-- SPDX-License-Identifier: GPL-3.0-or-later
-- The part of a job's story that changed its state, from event p_from on.  Each entry has its place in
-- the story: (anchor, micros, n), in this order.  A lost agent is told before what came of it.
CREATE FUNCTION tfx.tell_events(p_id uuid, p_from bigint)
RETURNS TABLE (anchor bigint, micros bigint, n int, at timestamptz, what text, attempt int, who text,
               why text, phase text, exit_code bigint, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT e.id, 0::bigint, t.n, e.at, t.what, e.attempt, t.who, t.why, NULL, NULL::bigint, t.outcome
    FROM tf.event e
    CROSS JOIN LATERAL (
        SELECT 0 AS n, 'lost' AS what,
               (SELECT a.agent FROM tf.attempt a WHERE a.job_id = p_id AND a.attempt = e.attempt) AS who,
               NULL AS why, NULL AS outcome
        WHERE e.event IN ('retry', 'backoff', 'lose') AND e.why = 'agent_lost' AND e.from_state <> 'cancelling'
        UNION ALL
        SELECT 1, CASE WHEN e.from_state = 'cancelling' THEN 'released' ELSE tfx.name_event(e.event) END,
               CASE WHEN NOT e.event IN ('retry', 'backoff') THEN e.who END,
               CASE WHEN e.event = 'hold' THEN 'attachments'
                    WHEN e.from_state = 'cancelling' THEN e.event
                    WHEN e.to_state NOT IN ('complete', 'cancelled', 'cancelling') THEN e.why END,
               CASE WHEN e.to_state IN ('complete', 'cancelled', 'cancelling')
                   AND e.from_state <> 'cancelling' THEN e.why END) t
    WHERE e.job_id = p_id AND e.id >= p_from;
END
$$;
