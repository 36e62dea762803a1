-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an operator allows on a queue: retry, stop_after_s, lease_max_s; what is not named stays.  An
-- empty object: nothing special any more.
--   TF422  a value that makes no sense
CREATE FUNCTION tfx.set_queue_policy(p_queue text, p_policy jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_policy = '{}' THEN
        DELETE FROM tf.queue_policy q WHERE q.queue = p_queue;
        RETURN;
    END IF;
    INSERT INTO tf.queue_policy (queue) VALUES (p_queue) ON CONFLICT DO NOTHING;
    UPDATE tf.queue_policy q
    SET retry = coalesce((p_policy ->> 'retry')::boolean, q.retry),
        stop_after_s = coalesce((p_policy ->> 'stop_after_s')::int, q.stop_after_s),
        lease_max_s = coalesce((p_policy ->> 'lease_max_s')::int, q.lease_max_s)
    WHERE q.queue = p_queue;
EXCEPTION
    WHEN check_violation THEN
        RAISE EXCEPTION 'stop_after must be 60 to 604800 s, a lease 30 to 3600 s'
            USING ERRCODE = 'TF422';
END
$$;
