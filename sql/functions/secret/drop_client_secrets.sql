-- SPDX-License-Identifier: GPL-3.0-or-later
-- Removes the secrets of a client that is being deleted: whoever gets that name next must not have
-- them.  What was spent on a job stays until that job ends.
CREATE FUNCTION tfx.drop_client_secrets(p_client_id text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM tf.secret s WHERE s.client_id = p_client_id AND s.job_id IS NULL
    ORDER BY s.id FOR UPDATE;
    DELETE FROM tf.secret s WHERE s.client_id = p_client_id AND s.job_id IS NULL;
END
$$;
