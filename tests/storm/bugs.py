# SPDX-License-Identifier: GPL-3.0-or-later
"""Bugs to be planted in the functions of a storm's database, to see that the checker finds them: for each
the functions it is in, a piece of each one's text and what stands there instead."""

BUGS = {
    # a token that is not the newest attempt's is as good as any
    "no-fencing": [
        ("tfx.find_attempt", "v_newest.token::text IS DISTINCT FROM lower(p_token)", "false"),
        ("tfx.hear_agent", "NOT coalesce(v_lives, false)", "false"),
        ("tfx.judge_renewal", "AND (p_token IS NULL OR l.token::text = lower(p_token))", ""),
    ],
    # leases end although nobody could renew them
    "outage-ignored": [("tfx.shift_leases", "IF v_outage THEN", "IF false THEN")],
    # what an agent posts counts although the job was cancelled
    "cancel-overwritten": [
        ("tfx.lock_job", "ret_row.job_state = 'cancelled'", "false"),
        ("tfx.end_jobs", "AND num_nulls(j.final_state) = 1", ""),
    ],
    # a claim whose answer never arrived stays claimed
    "claim-not-returned": [
        ("tfx.find_dead_leases", "WHERE l.lease_until <= now() AND",
         "WHERE l.lease_until <= now() AND l.confirmed IS NOT NULL AND"),
    ],
    # an agent that knows no leases gets the job back that it left behind
    "same-agent-again": [("tfx.plan_retry", "exclude := p_row.agent;", "exclude := '';")],
    # whoever looks at a job keeps its lease alive
    "anybody-renews": [
        ("api.read_result", "IF p_agent IS NOT NULL OR p_token IS NOT NULL THEN", "IF true THEN"),
        ("tfx.extend_lease", "p_lease.agent IS NOT DISTINCT FROM p_agent", "true"),
        ("tfx.extend_lease", "AND (p_token IS NOT NULL OR p_lease.lease_s IS NULL AND p_lease.left_at IS NULL)", ""),
    ],
}

REPLACE = """
DO $bug$
DECLARE
    v_old text := pg_get_functiondef('{function}'::regproc);
    v_new text := replace(v_old, $text${old}$text$, $text${new}$text$);
BEGIN
    IF v_new = v_old THEN
        RAISE EXCEPTION 'the text to be changed is not in {function}';
    END IF;
    EXECUTE v_new;
END
$bug$"""


def plant(cluster, database, name):
    for function, old, new in BUGS[name]:
        cluster.psql(REPLACE.format(function=function, old=old, new=new), database)
