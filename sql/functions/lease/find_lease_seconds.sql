-- SPDX-License-Identifier: GPL-3.0-or-later
-- How long a lease lives after a sign of life of an agent that asked for none, by what it does.
-- States are free text: one that is unknown counts as other.
CREATE FUNCTION tfx.find_lease_seconds(p_id uuid, p_doing text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_rule tf.phase_lease;
    v_limit_s bigint;
BEGIN
    SELECT * INTO v_rule FROM tf.phase_lease p WHERE p.doing = p_doing;
    IF NOT FOUND THEN
        SELECT * INTO v_rule FROM tf.phase_lease p WHERE p.doing = 'other';
    ELSIF v_rule.capped_by = 'global_timeout' THEN
        SELECT j.global_timeout INTO v_limit_s FROM tf.job j WHERE j.id = p_id;
    END IF;
    IF v_limit_s IS NULL THEN
        RETURN v_rule.seconds;
    END IF;
    -- the inner limit: any 64 bit number is allowed there
    RETURN least(v_rule.seconds, least(greatest(v_limit_s, 0), v_rule.seconds) + 600);
END
$$;
