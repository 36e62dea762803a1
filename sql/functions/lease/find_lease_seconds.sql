-- SPDX-License-Identifier: GPL-3.0-or-later
-- How long a lease lives after a sign of life of an agent that asked for none, by what it does.
-- States are free text: one that is unknown counts as other.
CREATE FUNCTION tfx.find_lease_seconds(p_id uuid, p_doing text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_seconds int;
BEGIN
    SELECT CASE WHEN p.capped_by = 'global_timeout' AND j.global_timeout IS NOT NULL
                -- the inner limit: any 64 bit number is allowed there
                THEN least(p.seconds, least(greatest(j.global_timeout, 0), p.seconds) + 600)
                ELSE p.seconds END
    INTO v_seconds
    FROM tf.phase_lease p
    LEFT JOIN tf.job j ON j.id = p_id AND p.capped_by IS NOT NULL
    WHERE p.doing = p_doing;
    RETURN coalesce(v_seconds, (SELECT p.seconds FROM tf.phase_lease p WHERE p.doing = 'other'));
END
$$;
