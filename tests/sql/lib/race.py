# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that two sessions meet at: what can be done to one, the states it can be in, and what becomes of it."""
import itertools

ACTIONS = {
    "claim": "SELECT job_id FROM api.claim_jobs('{a}', ARRAY[%(claim_token)s]::uuid[], '{NULL}', '{NULL}', '{1}',"
             " ARRAY[ARRAY[%(queue)s]::text], NULL, false)",
    "cancel": "SELECT api.cancel_job(%(job)s, 'me')",
    "ready": "SELECT tfx.ready_job(%(job)s)",
    "late result": "SELECT api.post_result(%(job)s, 'a', NULL, '{\"test\": 0}', NULL, 'complete')",
    "phase": "SELECT api.post_result(%(job)s, 'a', NULL, '{\"setup\": 0}', NULL, 'provision')",
    "failure": "SELECT api.post_result(%(job)s, 'a', NULL, '{\"provision\": 1}', NULL, 'complete')",
    "expire": "SELECT tfx.expire_jobs(10)",
    "release": "SELECT tfx.release_jobs(10)",
    "reaper": "SELECT reason FROM tfx.reap_leases(10)",
    "renew": "SELECT job_state, failure FROM api.renew_leases(ARRAY[%(job)s]::uuid[], '{a}', ARRAY[%(token)s])",
    "read": "SELECT job_state FROM api.read_result(%(job)s, 'a', NULL)",
    "return": "SELECT returned FROM api.return_claim(%(job)s, %(token)s)",
}
AGE = "UPDATE tf.lease SET {} WHERE job_id = %(job)s RETURNING 1"
SUBMIT = ("SELECT job_id FROM api.submit_job('{}', jsonb_build_object('id', %(job)s::text,"
          " 'queue', %(queue)s::text, 'sha256', '00', 'hold', %(hold)s::boolean, 'max_wait', 60,"
          " 'retry', '{\"max\": 1, \"on\": [\"agent_lost\", \"provision\"]}'::jsonb))")
# Every job has waited for too long, and somebody else serves its queue.
PREPARE = ["UPDATE tf.deadline SET since = since - interval '1 h', at = at - interval '1 h'"
           " WHERE job_id = %(job)s RETURNING 1",
           "INSERT INTO tf.agent (name, queues) VALUES (%(queue)s, ARRAY[%(queue)s]) RETURNING 1"]
SET_JOB = "UPDATE tf.job SET {} WHERE id = %(job)s RETURNING 1"
POST = "SELECT api.post_result(%(job)s, 'a', NULL, NULL, NULL, '{}')"
FIRST_CLAIM = ACTIONS["claim"].replace("claim_token", "first_token")
EXPIRED = AGE.format("lease_until = now() - interval '1 s'")
# state of the job at the start -> what made it
STATES = {
    "held": [],
    "waiting": [],
    "offered": [FIRST_CLAIM, AGE.format("offered_at = now() - interval '2 min', lease_until = now() - interval '1 s'")],
    "running": [FIRST_CLAIM, POST.format("setup")],
    "expired": [FIRST_CLAIM, POST.format("setup"), EXPIRED],
    "cancelling": [FIRST_CLAIM, POST.format("setup"), ACTIONS["cancel"]],
    "lost": [FIRST_CLAIM, SET_JOB.format("retry_max = 0"), POST.format("test"), EXPIRED,
             ACTIONS["reaper"]],
    "retried": [FIRST_CLAIM, ACTIONS["failure"]],
    "backoff": [FIRST_CLAIM, SET_JOB.format("retry_backoff_s = 60"), ACTIONS["failure"],
                "UPDATE tf.hold SET not_before = now() - interval '1 s' WHERE job_id = %(job)s RETURNING 1"],
}
OBSERVE = """
    SELECT array(SELECT 'held' FROM tf.hold WHERE job_id = %(job)s
                 UNION ALL SELECT 'waiting ' || exclude_agents::text FROM tf.wait WHERE job_id = %(job)s
                 UNION ALL SELECT 'waiting' FROM tf.wait
                     WHERE job_id = %(job)s AND exclude_agents IS NULL
                 UNION ALL SELECT format('running for %%s', attempt) FROM tf.lease
                     WHERE job_id = %(job)s AND job_state <> 'cancelled'
                 UNION ALL SELECT final_state || ' ' || outcome FROM tf.job
                     WHERE id = %(job)s AND final_state IS NOT NULL),
           array(SELECT 'busy' FROM tf.lease WHERE job_id = %(job)s AND job_state = 'cancelled'),
           array(SELECT format('%%s %%s', attempt, reason) FROM tf.attempt
                 WHERE job_id = %(job)s AND (attempt > 0 OR reason IS NOT NULL) ORDER BY attempt),
           array(SELECT event FROM tf.event WHERE job_id = %(job)s ORDER BY id)
"""


class Case:
    """One job in one state, in a queue of its own."""

    numbers = itertools.count(1)

    def __init__(self, session, state):
        number = next(self.numbers)
        self.session = session
        self.values = {"job": f"00000000-0000-7000-8000-{number:012d}", "queue": f"q{number}",
                       "first_token": f"11111111-0000-7000-8000-{number:012d}",
                       "claim_token": f"22222222-0000-7000-8000-{number:012d}",
                       "hold": state == "held"}
        # renew and return mean the claim that is there, or the one that is being made
        self.values["token"] = self.values["first_token" if STATES[state] else "claim_token"]
        for sql in [SUBMIT, *PREPARE, *STATES[state]]:
            session.execute(sql, self.values)

    def observe(self):
        """Where the job is, whether its agent is busy for nothing, its attempts and its events."""
        place, busy, attempts, events = self.session.execute(OBSERVE, self.values).fetchone()
        place = [one for one in place if one]
        assert len(place) == 1, f"the job is in {place}"
        return place[0], tuple(busy), tuple(attempts), tuple(events)

    def remove(self):
        for table in ("hold", "wait", "lease", "deadline"):
            self.session.execute(f"DELETE FROM tf.{table} WHERE job_id = %(job)s", self.values)


def submit(session, count, queue, priority=0):
    session.execute(
        "SELECT count(*) FROM generate_series(1, %s) n, api.submit_job('{}', jsonb_build_object("
        "'new_id', gen_random_uuid(), 'queue', %s::text, 'sha256', '00', 'priority', %s::int,"
        " 'authenticated', true, 'max_priority', 9) || jsonb_build_object('n', n))",
        (count, queue, priority))


def claim(session, agents, queues):
    """Claims for several agents at once; the priorities of the jobs they got, in their order."""
    return [row[0] for row in session.execute(
        "SELECT j.priority FROM (SELECT array_agg(gen_random_uuid()) AS tokens, array_agg(NULL::int) AS nothing,"
        " array_agg(1) AS lists FROM generate_series(1, %(count)s)) a"
        " CROSS JOIN LATERAL api.claim_jobs(%(agents)s, tokens, nothing, nothing::text[], lists,"
        " ARRAY[%(queues)s::text[]::text], NULL, false) c"
        " JOIN tf.job j ON j.id = c.job_id::uuid ORDER BY c.request",
        {"count": len(agents), "agents": agents, "queues": queues})]
