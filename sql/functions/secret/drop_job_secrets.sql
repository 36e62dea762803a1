-- SPDX-License-Identifier: GPL-3.0-or-later
-- Forgets what an ended job named, and the single-use secrets that were spent on it.
CREATE FUNCTION tfx.drop_job_secrets(p_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tf.job_secret n WHERE n.job_id = p_id;
    DELETE FROM tf.secret s WHERE s.job_id = p_id;
END
$$;
