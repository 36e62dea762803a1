-- SPDX-License-Identifier: GPL-3.0-or-later
-- What only some new jobs have: a place in tf.hold, until their attachments are there; a reservation to be
-- counted; how long they want to wait (fact max_wait); tags; secrets, the paths in the order in which they are
-- named.  The facts p_numbers[i] are those of job p_ids[i].
CREATE FUNCTION tfx.add_details(p_facts jsonb, p_numbers int[], p_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_facts @? '$[*].hold ? (@ == true)' THEN
        INSERT INTO tf.hold (job_id, queue, nprio, seq, week, why, exclude_agents)
        SELECT j.id, j.queue, tfx.negate_priority(j.priority), j.seq, j.week, 'attachments', j.exclude_agents
        FROM unnest(p_ids) u(id)
        CROSS JOIN LATERAL (SELECT * FROM tf.job o WHERE o.id = u.id LIMIT 1) j
        WHERE j.attachments;
    END IF;
    IF p_facts @? '$[*].has_reservation ? (@ == true)' THEN
        INSERT INTO tf.queue_count AS c (queue, shard, reservations)
        SELECT f.it ->> 'queue', tfx.take_shard(), count(*)
        FROM unnest(p_numbers) n
        CROSS JOIN LATERAL (SELECT p_facts -> (n - 1)) f(it)
        WHERE (f.it ->> 'has_reservation')::boolean
        GROUP BY 1
        ON CONFLICT (queue, shard) DO UPDATE SET reservations = c.reservations + EXCLUDED.reservations;
    END IF;
    IF p_facts @? '$[*].max_wait' THEN
        INSERT INTO tf.deadline (job_id, since, seconds, at)
        SELECT u.id, now(), s.seconds, now() + make_interval(secs => s.seconds)
        FROM unnest(p_numbers, p_ids) u(number, id)
        CROSS JOIN LATERAL (SELECT (p_facts -> (u.number - 1) ->> 'max_wait')::bigint) s(seconds)
        WHERE p_facts -> (u.number - 1) ? 'max_wait';
    END IF;
    IF p_facts @? '$[*].tags' THEN
        INSERT INTO tf.job_tag (tag, seq, job_id)
        SELECT DISTINCT t.tag, j.seq, u.id
        FROM unnest(p_numbers, p_ids) u(number, id)
        CROSS JOIN LATERAL (SELECT o.seq FROM tf.job o WHERE o.id = u.id LIMIT 1) j
        CROSS JOIN LATERAL jsonb_array_elements_text(p_facts -> (u.number - 1) -> 'tags') t(tag);
    END IF;
    IF p_facts @? '$[*].secrets' THEN
        INSERT INTO tf.job_secret (job_id, number, path)
        SELECT u.id, t.n - 1, t.path
        FROM unnest(p_numbers, p_ids) u(number, id)
        CROSS JOIN LATERAL jsonb_array_elements_text(p_facts -> (u.number - 1) -> 'secrets')
            WITH ORDINALITY t(path, n);
    END IF;
END
$$;
