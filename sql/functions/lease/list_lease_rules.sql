-- SPDX-License-Identifier: GPL-3.0-or-later
-- All times an operator can change: the rules, and for each phase how long an agent without leases
-- may be silent in it.
CREATE FUNCTION tfx.list_lease_rules() RETURNS TABLE (name text, value int, meaning text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.name, r.value, r.meaning FROM tf.lease_rule r
    UNION ALL
    SELECT p.doing, p.seconds, 'silence of an agent without leases in this state'
        || CASE WHEN p.capped_by IS NULL THEN ''
           ELSE format(', at most the job''s %s and ten minutes', p.capped_by) END
    FROM tf.phase_lease p
    ORDER BY 1;
END
$$;
