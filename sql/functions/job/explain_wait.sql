-- SPDX-License-Identifier: GPL-3.0-or-later
-- Why a job that can be claimed waits, in a word:
--   no_agent   no agent serves its queue      excluded  none that it does not exclude
--   offline    all of those are away          busy      all that are there have work
--   turn       one is free: other jobs come first, or it asks in a moment
CREATE FUNCTION tfx.explain_wait(p_queue text, p_exclude text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    SELECT count(*) AS serving, count(*) FILTER (WHERE s.wanted) AS wanted,
           count(*) FILTER (WHERE s.wanted AND s.there) AS there,
           count(*) FILTER (WHERE s.wanted AND s.there AND s.free) AS free
    INTO v
    FROM (SELECT NOT coalesce(a.name = ANY (p_exclude), false) AS wanted,
                 NOT coalesce(a.state, '') IN ('offline', 'maintenance') AS there,
                 coalesce(a.state, 'waiting') = 'waiting'
                     AND NOT EXISTS (SELECT FROM tf.lease l WHERE l.agent = a.name) AS free
          FROM tf.agent a
          WHERE p_queue = ANY (a.queues) AND a.updated_at > now() - interval '7 days') s;
    RETURN CASE WHEN v.serving = 0 THEN 'no_agent' WHEN v.wanted = 0 THEN 'excluded'
                WHEN v.there = 0 THEN 'offline' WHEN v.free = 0 THEN 'busy' ELSE 'turn' END;
END
$$;
