-- SPDX-License-Identifier: GPL-3.0-or-later
-- The lease an agent gets that asks for one of p_asked seconds (NULL: for none).
CREATE FUNCTION tfx.grant_seconds(p_queue text, p_asked int) RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
    IF p_asked IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN least(p_asked, (SELECT q.lease_max_s FROM tf.queue_policy q
                           WHERE q.queue = p_queue COLLATE "C"));
END
$$;
