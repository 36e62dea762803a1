-- SPDX-License-Identifier: GPL-3.0-or-later
-- tfx.judge_renewal() for one of many: what it raises is told (failure: the SQLSTATE, why: the text),
-- and undone, so that it does not fail the others.  But for what the whole transaction has to be
-- repeated for.
CREATE FUNCTION tfx.try_renewal(p_id uuid, p_agent text, p_token text, OUT job_state text,
                                OUT lease_until timestamptz, OUT failure text, OUT why text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    SELECT r.job_state, r.lease_until INTO job_state, lease_until
    FROM tfx.judge_renewal(p_id, p_agent, p_token) r;
EXCEPTION
    WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS failure = RETURNED_SQLSTATE, why = MESSAGE_TEXT;
        job_state := NULL;
        lease_until := NULL;
END
$$;
