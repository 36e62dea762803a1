-- SPDX-License-Identifier: GPL-3.0-or-later
-- An agent's record as clients read it: what was never reported is left out, and restricted_to
-- names the owners of those of its queues that are restricted.
CREATE FUNCTION tfx.render_agent(p_agent tf.agent) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'name', p_agent.name, 'state', p_agent.state, 'queues', to_jsonb(p_agent.queues),
        'location', p_agent.location, 'provision_type', p_agent.provision_type,
        'job_id', p_agent.job_id, 'comment', p_agent.comment, 'identifier', p_agent.identifier,
        'updated_at', tfx.format_seconds(p_agent.updated_at),
        'provision_streak_type', p_agent.provision_streak_type,
        'provision_streak_count', p_agent.provision_streak_count))
        || jsonb_build_object('restricted_to', coalesce((
            SELECT jsonb_object_agg(s.queue, s.owners)
            FROM (SELECT r.queue, jsonb_agg(o.client_id ORDER BY o.seq) AS owners
                  FROM tf.restricted_queue r
                  JOIN tf.queue_owner o ON o.queue = r.queue
                  WHERE r.queue = ANY (p_agent.queues)
                  GROUP BY r.queue) s), '{}'))
$$;
