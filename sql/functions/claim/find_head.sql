-- SPDX-License-Identifier: GPL-3.0-or-later
-- The first row of a queue at or behind (p_nprio, p_seq) the agent may have; nothing is locked.
CREATE FUNCTION tfx.find_head(p_agent text, p_queue text, p_nprio bigint, p_seq bigint)
RETURNS SETOF tf.wait
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT w.* FROM tf.wait w
    WHERE w.queue = p_queue COLLATE "C" AND (w.nprio, w.seq) >= (p_nprio, p_seq)
        AND (w.exclude_agents IS NULL OR NOT p_agent = ANY (w.exclude_agents))
    ORDER BY w.nprio, w.seq LIMIT 1;
END
$$;
