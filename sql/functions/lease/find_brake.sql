-- SPDX-License-Identifier: GPL-3.0-or-later
-- How many agents may still be given up as lost now: many at once look like a dead network
-- between us and them, not like dead agents.
CREATE FUNCTION tfx.find_brake() RETURNS bigint
LANGUAGE plpgsql SET jit = off SET enable_seqscan = on AS $$
DECLARE
    v_lost bigint;
    v_leases bigint := (SELECT count(*) FROM tf.lease l WHERE l.confirmed IS NOT NULL);
BEGIN
    SELECT count(*) INTO v_lost FROM tf.reaper r CROSS JOIN unnest(r.lost_at) o(at)
    WHERE o.at BETWEEN now() - interval '1 min' AND now();
    -- Many jobs may have ended since: then more were lost than may be by now.
    RETURN greatest((v_leases + v_lost) * tfx.find_rule('brake_percent') / 100,
                    tfx.find_rule('brake_least'), v_lost) - v_lost;
END
$$;
