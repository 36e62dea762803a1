-- SPDX-License-Identifier: GPL-3.0-or-later
-- Turns places just taken off tf.wait into leases and attempts: p_places[i] goes to request
-- p_numbers[i] (from 1).  Guarded like every change of state; the samples are of first claims.
CREATE FUNCTION tfx.start_attempts(p_requests jsonb, p_numbers int[], p_places tf.wait[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_leases tf.lease[];
    v_seconds int := (SELECT l.seconds FROM tf.phase_lease l WHERE l.doing = 'running');
    v_week date := tfx.find_week(now());
    v_to text := (SELECT t.to_state FROM tf.transition t
                  WHERE t.from_state = 'waiting' AND t.event = 'claim');
BEGIN
    IF v_to IS NULL THEN
        RAISE EXCEPTION 'claiming is not allowed' USING ERRCODE = 'TF409';
    END IF;
    SELECT array_agg((p.job_id, p.queue, p.nprio, p.seq, p.week, v_week, p.attempt + 1, p.lost,
                      r.j ->> 'agent', r.j ->> 'token', r.j ->> 'boot', r.j ->> 'lease', now(),
                      now(), NULL, now() + make_interval(
                          secs => coalesce((r.j ->> 'lease')::int, v_seconds)),
                      v_to, p.exclude_agents)::tf.lease ORDER BY p.job_id)
    INTO v_leases
    FROM unnest(p_places) WITH ORDINALITY p
    CROSS JOIN LATERAL (SELECT p_requests -> (p_numbers[p.ordinality] - 1) AS j) r;

    INSERT INTO tf.lease SELECT * FROM unnest(v_leases);
    INSERT INTO tf.attempt (job_id, attempt, week, agent, token, boot, first_number)
    SELECT l.job_id, l.attempt, l.attempt_week, l.agent, l.token, l.boot,
           CASE WHEN l.attempt > 1 THEN tfx.find_next_fragment(l.job_id) ELSE 0 END
    FROM unnest(v_leases) l;
    INSERT INTO tf.event (job_id, attempt, event, from_state, to_state, who)
    SELECT l.job_id, l.attempt, 'claim', 'waiting', v_to, l.agent FROM unnest(v_leases) l;
    INSERT INTO tf.wait_sample (queue, seconds)
    SELECT p.queue, extract(epoch FROM now() - p.since) FROM unnest(p_places) p
    WHERE p.attempt = 0;
END
$$;
