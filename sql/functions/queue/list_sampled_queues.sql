-- SPDX-License-Identifier: GPL-3.0-or-later
-- The queues that have samples of waiting times: from name to name by the index, without reading
-- the samples between.
CREATE FUNCTION tfx.list_sampled_queues() RETURNS TABLE (queue text)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT min(s.queue) INTO queue FROM tf.wait_sample s;
    WHILE queue IS NOT NULL LOOP
        RETURN NEXT;
        SELECT min(s.queue) INTO queue FROM tf.wait_sample s
        WHERE s.queue > list_sampled_queues.queue COLLATE "C";
    END LOOP;
END
$$;
