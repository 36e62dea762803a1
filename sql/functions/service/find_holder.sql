-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who has held the oldest snapshot for p_held_s seconds at least, in words; NULL: nobody.  What holds one
-- for an unknown time (a standby, a replication slot) counts when it is far behind.
CREATE FUNCTION tfx.find_holder(p_held_s int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    -- Sessions that began to look after it are as far behind as the one with the oldest transaction.
    SELECT h.who, h.behind, extract(epoch FROM clock_timestamp() - h.since)::bigint AS held_s INTO v
    FROM tfx.list_holders() h ORDER BY h.behind DESC, h.since LIMIT 1;
    IF v.held_s >= p_held_s OR v.held_s IS NULL AND v.behind > 100000 THEN
        RETURN format('%s, for %s', v.who, coalesce(v.held_s || ' s', v.behind || ' transactions'));
    END IF;
    RETURN NULL;
END
$$;
