-- SPDX-License-Identifier: GPL-3.0-or-later
-- The value of a rule of tf.lease_rule.
CREATE FUNCTION tfx.find_rule(p_name text) RETURNS int
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT r.value FROM tf.lease_rule r WHERE r.name = p_name);
END
$$;
