-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an event of a job (tf.transition) is called in its story.
CREATE FUNCTION tfx.name_event(p_event text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce((
        SELECT w.what
        FROM (VALUES ('submit', 'submitted'), ('hold', 'submitted'), ('claim', 'claimed'),
                     ('cancel', 'cancelled'), ('complete', 'ended'), ('return', 'returned'),
                     ('retry', 'retried'), ('lose', 'ended'), ('backoff', 'retried'),
                     ('expire', 'ended')) w(event, what)
        WHERE w.event = p_event), p_event)
$$;
