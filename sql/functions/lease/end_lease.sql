-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ends one lease whose time is over, locked by the caller.  One that cannot be ended must not keep
-- the others alive: it is put off for a minute.  But for a deadlock: it is
-- with the locks the caller keeps, and would meet the next lease too.
CREATE FUNCTION tfx.end_lease(p_row tf.lease) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_why text;
BEGIN
    DELETE FROM tf.lease l WHERE l.job_id = p_row.job_id;
    RETURN tfx.lose_lease(p_row);
EXCEPTION
    WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_why = MESSAGE_TEXT;
        RAISE LOG 'lease of job "%" could not be ended: %', p_row.job_id, v_why;
        UPDATE tf.lease l SET lease_until = now() + interval '1 min' WHERE l.job_id = p_row.job_id;
        RETURN 'failed';
END
$$;
