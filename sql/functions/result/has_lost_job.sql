-- SPDX-License-Identifier: GPL-3.0-or-later
-- Had this agent the job before another one (the newest attempt's) got it?  It is to read cancelled.
CREATE FUNCTION tfx.has_lost_job(p_id uuid, p_agent text, p_newest_agent text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF p_agent <> p_newest_agent THEN
        RETURN EXISTS (SELECT FROM tf.attempt a WHERE a.job_id = p_id AND a.agent = p_agent);
    END IF;
    RETURN false;
END
$$;
