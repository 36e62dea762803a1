-- SPDX-License-Identifier: GPL-3.0-or-later
-- A short name for what decides whether an agent takes jobs, and of which queues: its state, and who may
-- use those of its queues that are restricted.
CREATE FUNCTION tfx.name_standing(p_agent tf.agent) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN tfx.name_version(concat_ws('/', p_agent.state, tfx.render_agent(p_agent) -> 'restricted_to'));
END
$$;
