-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether an agent serves the queue of a submission that the job does not exclude.
CREATE FUNCTION tfx.has_agent_left(p_facts jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN p_facts -> 'exclude_agents' = '[]' OR EXISTS (
        SELECT FROM tf.agent a
        WHERE p_facts ->> 'queue' = ANY (a.queues) AND NOT p_facts -> 'exclude_agents' ? a.name);
END
$$;
