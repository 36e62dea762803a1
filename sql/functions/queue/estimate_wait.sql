-- SPDX-License-Identifier: GPL-3.0-or-later
-- How many seconds a job with p_ahead others before it will wait, as far as the queue's latest claims
-- tell; NULL: there were none.  Each of them tells how long the first in the queue waited for an agent: since it
-- came, or since the claim before if it was there already.  As often as that will it take, on average.
CREATE FUNCTION tfx.estimate_wait(p_queue text, p_ahead bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT round((p_ahead + 1) * avg(greatest(0, least(s.seconds, s.since_s))))
        FROM (SELECT n.seconds, extract(epoch FROM n.at - lag(n.at) OVER w) AS since_s,
                     row_number() OVER w AS number, count(*) OVER () AS samples
              FROM (SELECT o.at, o.seconds FROM tf.wait_sample o
                    WHERE o.queue = p_queue COLLATE "C" ORDER BY o.at DESC LIMIT 101) n
              WINDOW w AS (ORDER BY n.at)) s
        -- What the oldest came after is not known.
        WHERE s.number > 1 OR s.samples = 1);
END
$$;
