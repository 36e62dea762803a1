-- SPDX-License-Identifier: GPL-3.0-or-later
-- Removes a secret; one that is not there is fine.  What was spent on a job stays with the job.
CREATE FUNCTION api.delete_secret(p_client_id text, p_path text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM tf.secret s
    WHERE s.client_id = p_client_id AND s.path = p_path AND s.job_id IS NULL;
END
$$;
