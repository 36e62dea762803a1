-- SPDX-License-Identifier: GPL-3.0-or-later
-- The lease of a job as it is now, not locked; all NULL: it has none.
CREATE FUNCTION tfx.find_lease(p_id uuid) RETURNS tf.lease
LANGUAGE plpgsql AS $$
DECLARE
    v_lease tf.lease;
BEGIN
    SELECT * INTO v_lease FROM tf.lease l WHERE l.job_id = p_id;
    RETURN v_lease;
END
$$;
