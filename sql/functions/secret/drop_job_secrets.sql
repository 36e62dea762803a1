-- SPDX-License-Identifier: GPL-3.0-or-later
-- Forgets what ended jobs named, and the single-use secrets that were spent on them.
CREATE FUNCTION tfx.drop_job_secrets(p_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tf.job_secret n WHERE n.job_id = ANY (p_ids);
    DELETE FROM tf.secret s WHERE s.job_id = ANY (p_ids);
END
$$;
