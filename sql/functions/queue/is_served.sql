-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether an agent serves the queue that is none of these.  One that was not heard of for a week is
-- none any more.
CREATE FUNCTION tfx.is_served(p_queue text, p_without text[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM tf.agent a
        WHERE p_queue = ANY (a.queues) AND NOT a.name = ANY (p_without)
            AND a.updated_at > now() - interval '7 days');
END
$$;
