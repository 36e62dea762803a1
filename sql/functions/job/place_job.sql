-- SPDX-License-Identifier: GPL-3.0-or-later
-- What goes with a new row of tf.job: its definition, its place in the queue (tf.hold while
-- attachments are missing), tags, secrets it names, how long it
-- wants to wait, counters and first event.
CREATE FUNCTION tfx.place_job(p_job tf.job, p_definition text, p_facts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_nprio bigint := tfx.negate_priority(p_job.priority);
BEGIN
    INSERT INTO tf.definition (week, job_id, body) VALUES (p_job.week, p_job.id, p_definition);
    IF p_job.attachments THEN
        INSERT INTO tf.hold (job_id, queue, nprio, seq, week, why, exclude_agents)
        VALUES (p_job.id, p_job.queue, v_nprio, p_job.seq, p_job.week, 'attachments',
                p_job.exclude_agents);
    ELSE
        INSERT INTO tf.wait (queue, nprio, seq, job_id, week, exclude_agents)
        VALUES (p_job.queue, v_nprio, p_job.seq, p_job.id, p_job.week, p_job.exclude_agents);
    END IF;
    IF p_facts ? 'max_wait' THEN
        INSERT INTO tf.deadline (job_id, since, seconds, at)
        SELECT p_job.id, now(), s.seconds, now() + make_interval(secs => s.seconds)
        FROM (SELECT (p_facts ->> 'max_wait')::bigint) s(seconds);
    END IF;
    IF p_facts -> 'tags' IS NOT NULL THEN
        INSERT INTO tf.job_tag (tag, seq, job_id)
        SELECT DISTINCT t.tag, p_job.seq, p_job.id
        FROM jsonb_array_elements_text(p_facts -> 'tags') t(tag);
    END IF;
    IF p_job.secrets THEN
        INSERT INTO tf.job_secret (job_id, number, path)
        SELECT p_job.id, t.n - 1, t.path
        FROM jsonb_array_elements_text(p_facts -> 'secrets') WITH ORDINALITY t(path, n);
    END IF;
    INSERT INTO tf.queue_count AS c (queue, shard, jobs, reservations)
    VALUES (p_job.queue, tfx.take_shard(), 1,
            coalesce((p_facts ->> 'has_reservation')::boolean, false)::int)
    ON CONFLICT (queue, shard) DO UPDATE
    SET jobs = c.jobs + 1, reservations = c.reservations + EXCLUDED.reservations;
    PERFORM tfx.record_event(p_job.id, 0, 'new',
                             CASE WHEN p_job.attachments THEN 'hold' ELSE 'submit' END,
                             p_job.submitter, NULL);
END
$$;
