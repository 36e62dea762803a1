-- SPDX-License-Identifier: GPL-3.0-or-later
-- The shard of tf.queue_count this transaction counts in, alone until it ends: rows of several queues
-- are changed in any order without waiting for anybody.  Mostly the backend's own; if another one
-- with the same remainder is at it, one behind those.
CREATE FUNCTION tfx.take_shard() RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    c_shards CONSTANT int := 64;
    v_shard int := pg_backend_pid() % c_shards;
    v_next int := c_shards;
BEGIN
    WHILE NOT pg_try_advisory_xact_lock(hashtext('testflinger shard'), v_shard) LOOP
        v_shard := v_next;
        v_next := v_next + 1;
    END LOOP;
    RETURN v_shard;
END
$$;
