-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends a call that could not meet its job (tfx.lock_job):
--   TF503  always, if p_state says so
CREATE FUNCTION tfx.refuse_moving(p_id uuid, p_state text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_state = 'moving' THEN
        RAISE EXCEPTION 'job "%" is moving: try again', p_id USING ERRCODE = 'TF503';
    END IF;
END
$$;
