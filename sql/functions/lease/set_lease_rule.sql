-- SPDX-License-Identifier: GPL-3.0-or-later
-- Changes one of tfx.list_lease_rules().
--   TF404  no such rule        TF422  a value that makes no sense
CREATE FUNCTION tfx.set_lease_rule(p_name text, p_value int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tf.lease_rule r SET value = p_value WHERE r.name = p_name;
    IF NOT FOUND THEN
        UPDATE tf.phase_lease p SET seconds = p_value WHERE p.doing = p_name;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease rule "%" does not exist', p_name USING ERRCODE = 'TF404';
    END IF;
EXCEPTION
    WHEN check_violation THEN
        RAISE EXCEPTION 'lease rule "%" cannot be %', p_name, p_value USING ERRCODE = 'TF422';
END
$$;
