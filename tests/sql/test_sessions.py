# SPDX-License-Identifier: GPL-3.0-or-later
"""What two sessions do to one job at the same time.

Each pair of actions is run on a job in each state: the first session acts and keeps its transaction
open, the second acts, the first commits or rolls back.  The job must end as it does when the two
act one after the other, in one order or the other, on a quiet database."""
import itertools
import json
import re
import uuid

import psycopg
import pytest

from session import Call
from wait import wait_for

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
FINISH = "SELECT queue FROM api.finish_file(%s, 0, '\\x00')"
# These pass by what another session holds instead of waiting for it.
PASSING_BY = {"claim", "reaper", "release", "renew"}
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


@pytest.fixture(scope="module", autouse=True)
def rules(cluster, database):
    """Leases were looked at just now, a slow test is no outage, and any number may be lost."""
    cluster.psql("UPDATE tf.lease_rule SET value = most WHERE name IN ('outage_gap_s', 'brake_least');"
                 "SELECT tfx.shift_leases()", database)


@pytest.fixture(scope="module")
def alone(cluster, database):
    """What becomes of a job when actions come one after the other; remembered."""
    known = {}
    with psycopg.connect(cluster.conninfo(database), autocommit=True) as session:
        def act(state, *actions):
            if (state, actions) not in known:
                case = Case(session, state)
                for action in actions:
                    try:
                        session.execute(ACTIONS[action], case.values)
                    except psycopg.Error as error:
                        assert error.sqlstate.startswith("TF"), error
                known[state, actions] = case.observe()
                case.remove()
            return known[state, actions]
        yield act


@pytest.mark.parametrize("ending", ["commit", "rollback"])
@pytest.mark.parametrize("second", ACTIONS)
@pytest.mark.parametrize("first", ACTIONS)
def test_two_actions_at_once_are_as_one_after_the_other(connect, alone, first, second, ending):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    for state in STATES:
        case = Case(quiet, state)
        opened = Call(one, ACTIONS[first], case.values, quiet)
        assert opened.settle(), f"nobody else is there yet, but {opened.blockers()}"
        assert opened.refused_or_done(), opened.error
        call = Call(two, ACTIONS[second], case.values, quiet)
        waited = not call.settle()
        getattr(one, ending)()
        call.result()
        assert call.refused_or_done(), call.error
        two.commit()
        before = (first,) if ending == "commit" else ()
        allowed = {alone(state, *before, second), alone(state, second, *before)}
        if second in PASSING_BY and not waited:
            allowed.add(alone(state, *before))  # it asks again before long
        assert case.observe() in allowed, f"{state}: {first}, then {second} (waited: {waited})"
        case.remove()


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


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_claims_not_committed_yet_hide_no_free_job(connect, batch):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    queue = f"free{batch}"
    submit(quiet, 80, queue)
    for number in range(4):  # 64 rows at the head are in other hands
        assert len(claim(one, [f"one{number}.{n}" for n in range(16)], [queue])) == 16
    got = claim(two, [f"two{n}" for n in range(batch)], [queue])
    assert len(got) == batch, "jobs are free, so everybody gets one"
    two.rollback()
    one.rollback()


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_a_better_job_goes_first_beside_claims_not_committed_yet(connect, batch):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    good, bad = f"good{batch}", f"bad{batch}"
    submit(quiet, 80, good, 5)
    submit(quiet, 80, bad, 0)
    for number in range(4):
        claim(one, [f"one{number}.{n}" for n in range(16)], [good])
    got = claim(two, [f"two{n}" for n in range(batch)], [bad, good])
    assert got == [5] * batch, "no lower priority while a higher one is free"
    rest = claim(two, [f"rest{n}" for n in range(16)], [bad, good])
    assert rest == sorted(rest, reverse=True) and len(rest) == 16
    assert rest.count(5) == min(16, 16 - batch), "then what is left, best first"
    two.rollback()
    one.rollback()


def test_heads_in_other_hands_are_merged_over_queues(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    for _ in range(5):  # two queues whose jobs alternate in age
        submit(quiet, 1, "left")
        submit(quiet, 1, "right")
    assert len(claim(one, [f"o{n}" for n in range(6)], ["left", "right"])) == 6
    rows = two.execute(
        "SELECT j.seq, (SELECT min(w.seq) FROM tf.wait w WHERE w.queue IN ('left', 'right'))"
        " FROM api.claim_jobs('{t}', '{33333333-0000-7000-8000-000000000001}', '{NULL}', '{NULL}', '{1}',"
        " ARRAY['{right,left}'], NULL, false) c"
        " JOIN tf.job j ON j.id = c.job_id::uuid").fetchall()
    assert rows[0][0] == rows[0][1] + 6, "the oldest of those that are free"
    two.rollback()
    one.rollback()


@pytest.mark.parametrize("batch", [1, 2])
def test_a_queue_whose_best_jobs_are_taken_comes_behind_the_others(connect, batch):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    high, middle = f"high{batch}", f"middle{batch}"
    submit(quiet, 10, high, 5)
    submit(quiet, 2, high, 1)
    submit(quiet, 2, middle, 3)
    assert claim(one, [f"o{n}" for n in range(10)], [high]) == [5] * 10
    assert claim(two, [f"t{n}" for n in range(batch)], [high, middle]) == [3] * batch
    assert claim(two, [f"u{n}" for n in range(4)], [high, middle]) == [3] * (2 - batch) + [1] * 2
    two.rollback()
    one.rollback()


def test_the_same_submission_twice_at_once_is_one_job(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    values = {"job": "44444444-0000-7000-8000-000000000001", "queue": "twice", "hold": False}
    sql = SUBMIT.replace("SELECT job_id", "SELECT created")
    assert Call(one, sql, values, quiet).result() == [(True,)]
    call = Call(two, sql, values, quiet)
    assert not call.settle(), "the second waits for the first"
    one.commit()
    assert call.result() == [(False,)]
    two.commit()
    assert quiet.execute("SELECT count(*) FROM tf.wait WHERE queue = 'twice'").fetchone() == (1,)


def test_renewals_of_the_same_jobs_at_once_do_not_wait_for_each_other(connect):
    """So that they cannot deadlock, in whatever order they come."""
    quiet, one, two = connect(autocommit=True), connect(), connect()
    submit(quiet, 2, "ordered")
    claim(quiet, ["o1", "o2"], ["ordered"])
    ids = [row[0] for row in quiet.execute("SELECT job_id::text FROM tf.lease WHERE queue = 'ordered'").fetchall()]
    quiet.execute("UPDATE tf.lease SET lease_s = 60, token = job_id WHERE queue = 'ordered'")
    sql = "SELECT request, failure FROM api.renew_leases(%s::uuid[], '{a,a}', %s::text[]) ORDER BY 1"
    for session, order, failure in [(one, ids, None), (two, ids[::-1], "55P03")]:
        call = Call(session, sql, (order, order), quiet)
        assert call.settle(), "waits for nobody"
        assert call.result() == [(0, failure), (1, failure)]


def test_a_locked_lease_does_not_delay_the_renewal_of_others(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    submit(quiet, 3, "locked")
    claim(quiet, ["k1", "k2", "k3"], ["locked"])
    ids, tokens = zip(*quiet.execute("SELECT job_id, token::text FROM tf.lease WHERE queue = 'locked' ORDER BY agent"))
    quiet.execute("UPDATE tf.lease SET lease_s = 60 WHERE queue = 'locked' AND agent <> 'k3'")
    one.execute("SELECT FROM tf.lease WHERE job_id = ANY (%s) FOR UPDATE", ([ids[0], ids[2]],))
    call = Call(two, "SELECT request, job_state, failure FROM api.renew_leases(%s::uuid[], '{k1,k2,k3}', %s::text[])"
                " ORDER BY 1", (list(ids), [*tokens[:2], None]), quiet)
    assert call.settle(), "waits for nobody"
    assert call.result() == [(0, None, "55P03"), (1, "running", None), (2, None, "55P03")]
    two.commit()
    one.rollback()
    call = Call(two, "SELECT failure FROM api.renew_leases(%s::uuid[], '{k1,k2,k3}', %s::text[])",
                (list(ids), [*tokens[:2], None]), quiet)
    assert call.result() == [(None,)] * 3
    two.commit()


def test_a_locked_attempt_does_not_delay_the_logs_of_others(connect):
    """And whoever meets them at the same fragment has waited for them before: they deadlock with nobody."""
    quiet, one, two, three = connect(autocommit=True), connect(), connect(), connect()
    submit(quiet, 3, "logs")
    claim(quiet, ["l1", "l2", "l3"], ["logs"])
    ids = [row[0] for row in quiet.execute("SELECT job_id::text FROM tf.lease WHERE queue = 'logs' ORDER BY agent")]
    sql = ("SELECT request FROM api.post_logs(%s::uuid[], '{l1,l2,l3}', '{NULL,NULL,NULL}', '{output,output,output}',"
           " '{test,test,test}', '{1,2,3}', ARRAY[now(), now(), now()], '{1,2,3}', '{1,1,1}', 'xyz')")
    alone = "SELECT api.post_log(%s, %s, NULL, 'output', 'test', %s, now(), %s)"
    Call(one, alone, (ids[0], "l1", 7, b"a"), quiet).result()
    one.execute("SELECT FROM tf.lease WHERE job_id = %s FOR UPDATE", (ids[1],))
    call = Call(two, sql, (ids,), quiet)
    assert call.settle(), "waits for nobody"
    assert call.result() == [(0,)]
    same = Call(three, alone, (ids[2], "l3", 3, b"z"), quiet)
    assert not same.settle(), "waits for the attempt"
    two.commit()
    same.result()
    for session in (one, three):
        session.commit()
    assert quiet.execute("SELECT count(*) FROM tf.log WHERE job_id = ANY (%s)", (ids,)).fetchone() == (3,)
    assert quiet.execute("SELECT array_agg(version ORDER BY agent) FROM tf.attempt WHERE job_id = ANY (%s)",
                         (ids,)).fetchone() == ([1, 1, 1],)


@pytest.mark.parametrize("count", [2, 8])
def test_a_locked_lease_does_not_delay_the_results_of_others(connect, count):
    """Neither when a few are posted nor when many are made together."""
    quiet, one, two = connect(autocommit=True), connect(), connect()
    queue, agents, nothing = f"results{count}", [f"r{n}" for n in range(count)], [None] * count
    submit(quiet, count, queue)
    claim(quiet, agents, [queue])
    ids = [row[0] for row in quiet.execute("SELECT job_id::text FROM tf.lease WHERE queue = %s ORDER BY agent", (queue,))]
    one.execute("SELECT FROM tf.lease WHERE job_id = %s FOR UPDATE", (ids[0],))
    call = Call(two, "SELECT request, alone FROM api.post_results(%s::uuid[], %s::text[], %s::text[], %s::text[],"
                " %s::text[], %s::text[], %s::text[])",
                (ids, agents, nothing, nothing, nothing, ["setup"] + ["complete"] * (count - 1), nothing), quiet)
    assert call.settle(), "waits for nobody"
    assert call.result() == [(0, True)]
    two.commit()
    one.rollback()
    assert quiet.execute("SELECT array_agg(final_state ORDER BY agent NULLS FIRST) FROM tf.job WHERE queue = %s", (queue,)
                         ).fetchone() == ([None] + ["complete"] * (count - 1),)


def test_whoever_ends_what_waited_too_long_takes_jobs_in_their_order(connect):
    """And not in that of their deadlines: renewals of the same jobs would deadlock with it."""
    quiet, one, two = connect(autocommit=True), connect(), connect()
    submit(quiet, 2, "late")
    assert len(claim(quiet, ["l1", "l2"], ["late"])) == 2
    low, high = [row[0] for row in quiet.execute(
        "SELECT job_id FROM tf.lease WHERE queue = 'late' ORDER BY job_id").fetchall()]
    quiet.execute("INSERT INTO tf.deadline SELECT id, now(), 1, at FROM (VALUES (%s, now()), (%s, now() -"
                  " interval '1 h')) d(id, at)", (low, high))
    lock = "SELECT FROM tf.lease WHERE job_id = %s FOR UPDATE"
    one.execute(lock, (low,))
    call = Call(two, "SELECT cardinality(tfx.expire_jobs(10))", (), quiet)
    assert not call.settle(), "waits for the first job"
    assert Call(one, lock, (high,), quiet).settle(), "and has not taken the second"
    one.rollback()
    assert call.result() == [(0,)]
    two.commit()
    quiet.execute("DELETE FROM tf.deadline WHERE job_id IN (%s, %s)", (low, high))


@pytest.mark.parametrize("ending, allowed", [("commit", "first"), ("rollback", "second")])
def test_the_same_key_twice_at_once_is_one_job(connect, ending, allowed):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    sql = ("SELECT job_id, created FROM api.submit_job('{}', jsonb_build_object('new_id', %s::text,"
           " 'queue', %s::text, 'sha256', '00', 'key', %s::text, 'key_sha256', '00'))")
    queue = f"keyed-{ending}"
    ids = {name: str(uuid.uuid4()) for name in ("first", "second")}
    assert Call(one, sql, (ids["first"], queue, queue), quiet).result() == [(ids["first"], True)]
    call = Call(two, sql, (ids["second"], queue, queue), quiet)
    assert not call.settle(), "the second waits for the first"
    getattr(one, ending)()
    assert call.result() == [(ids[allowed], allowed == "second")]
    two.commit()
    assert quiet.execute("SELECT job_id::text FROM tf.wait WHERE queue = %s",
                         (queue,)).fetchall() == [(ids[allowed],)]


SUBMIT_ALL = ("SELECT request, failure FROM api.submit_jobs(array_fill('{}'::text, %s), %s) ORDER BY request")


def submit_all(session, watcher, *facts):
    return Call(session, SUBMIT_ALL, ([len(facts)], json.dumps(
        [{"new_id": str(uuid.uuid4()), "sha256": "00", "queue": "batches", **one} for one in facts])), watcher)


@pytest.mark.parametrize("ending, failure", [("commit", "55P03"), ("rollback", None)])
@pytest.mark.parametrize("known", ["id", "key"])
def test_batches_of_submissions_wait_for_each_other_in_one_order(connect, ending, failure, known):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    names = sorted(str(uuid.uuid4()) for _ in range(2))
    first, second = [{"id": name} if known == "id" else {"key": name, "key_sha256": "00"} for name in names]
    assert submit_all(one, quiet, first).result() == [(0, None)]
    call = submit_all(two, quiet, {}, second, first, {})
    assert not call.settle(), "the second batch waits for the first"
    assert submit_all(one, quiet, second).result() == [(0, None)], "and does not have what that wants next"
    getattr(one, ending)()
    assert call.result() == [(0, None), (1, failure), (2, failure), (3, None)]
    two.commit()
    bound = quiet.execute("SELECT count(*) FROM tf.submission_key k JOIN tf.job j ON j.id = k.job_id"
                          " WHERE k.key = ANY (%s)", (names,))
    assert bound.fetchone() == (2 if known == "key" else 0,)


def test_an_agent_that_is_being_sent_away_gets_no_job(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    quiet.execute("SELECT api.post_agent('leaving', '{\"queues\": [\"left\"], \"state\": \"waiting\"}', NULL)")
    submit(quiet, 1, "left-alone")
    look = ("SELECT seen, changed, busy, job_id FROM api.claim_jobs('{leaving}',"
            " '{77777777-0000-7000-8000-000000000001}', '{NULL}', '{NULL}', '{1}', ARRAY['{%s}'], ARRAY[%%s], %%s)")
    seen = quiet.execute(look % "left-empty", ("", False)).fetchone()[0]
    one.execute("SELECT api.post_agent('leaving', '{\"state\": \"offline\"}', NULL)")
    assert quiet.execute(look % "left-alone", (seen, False)).fetchone()[1:] == (False, True, None), \
        "among others it comes later"
    call = Call(two, look % "left-alone", (seen, True), quiet)
    assert not call.settle(), "the claim waits for what becomes of the agent"
    one.commit()
    assert call.result()[0][1:] == (True, False, None)
    two.commit()


def test_of_two_uploads_of_attachments_the_first_to_end_counts(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    values = {"job": "55555555-0000-7000-8000-000000000001", "queue": "bundle", "hold": True}
    quiet.execute(SUBMIT, values)
    files = [quiet.execute("SELECT file_id FROM api.open_file(%(job)s, 'attachments', NULL, NULL)",
                           values).fetchone()[0] for _ in range(2)]
    Call(one, FINISH, (files[0],), quiet).result()
    call = Call(two, FINISH, (files[1],), quiet)
    assert not call.settle(), "the second waits for the first"
    one.commit()
    assert call.result() == [], "no job can be claimed because of it"
    two.commit()
    found = quiet.execute("SELECT file_id FROM api.get_file(%(job)s, 'attachments')", values)
    assert found.fetchall() == [(files[0],)]


def test_a_post_takes_the_place_of_its_job_before_its_results(connect):
    """Who has the lease writes phases too: the other way round the two would deadlock."""
    quiet, one, two = connect(autocommit=True), connect(), connect()
    submit(quiet, 1, "posts")
    assert len(claim(quiet, ["p"], ["posts"])) == 1
    job = quiet.execute("SELECT job_id::text FROM tf.lease WHERE queue = 'posts'").fetchone()[0]
    one.execute("SELECT FROM tf.lease WHERE job_id = %s FOR UPDATE", (job,))
    call = Call(two, "SELECT api.post_result(%s, 'p', NULL, '{\"setup\": 0}', NULL, 'provision')", (job,), quiet)
    assert not call.settle(), "waits for the lease"
    Call(one, "SELECT api.post_result(%s, 'p', NULL, NULL, NULL, 'setup')", (job,), quiet).result()
    one.commit()
    assert call.result() == [] and call.error is None
    two.commit()
    assert quiet.execute("SELECT phase::text, started_at <= ended_at FROM tf.phase p WHERE job_id = %s ORDER BY p.phase",
                         (job,)).fetchall() == [("setup", True), ("provision", None)]


def test_a_phase_ends_after_its_beginning(connect):
    """Also when the transaction that tells the end had begun before."""
    quiet, early = connect(autocommit=True), connect()
    submit(quiet, 1, "phases")
    assert len(claim(quiet, ["p"], ["phases"])) == 1
    job = quiet.execute("SELECT job_id::text FROM tf.lease WHERE queue = 'phases'").fetchone()[0]
    early.execute("SELECT now()")
    quiet.execute("SELECT api.post_result(%s, 'p', NULL, NULL, NULL, 'setup')", (job,))
    early.execute("SELECT api.post_result(%s, 'p', NULL, '{\"setup\": 0}', NULL, NULL)", (job,))
    early.commit()
    assert quiet.execute("SELECT started_at <= ended_at FROM tf.phase WHERE job_id = %s",
                         (job,)).fetchall() == [(True,)]


def alike(connect):
    """Two sessions that would count in the same shard: of any 65 two do."""
    known = {}
    for _ in range(65):
        session = connect()
        other = known.setdefault(session.info.backend_pid % 64, session)
        if other is not session:
            return other, session
    raise AssertionError("65 numbers have 64 remainders")


@pytest.mark.parametrize("rounds", [1, 2])
def test_counts_of_several_queues_wait_for_nobody(connect, rounds):
    """Batches change the counts of their queues in any order."""
    quiet, (one, two) = connect(autocommit=True), alike(connect)
    sql = ("SELECT created FROM api.submit_job('{}', jsonb_build_object('new_id', gen_random_uuid(),"
           " 'queue', %s::text, 'sha256', '00'))")
    names = [f"count-{rounds}-{n}" for n in range(2)]
    for _ in range(rounds):
        for session, queue in [(one, names[0]), (two, names[1]), (one, names[1]), (two, names[0])]:
            call = Call(session, sql, (queue,), quiet)
            assert call.settle(), "nobody waits"
            assert call.result() == [(True,)]
    one.commit()
    two.commit()
    counted = quiet.execute("SELECT value FROM api.read_series() WHERE series = 'jobs' AND label = ANY (%s)", (names,))
    assert counted.fetchall() == [(2 * rounds,)] * 2


def artifacts(session, job, count):
    return [session.execute("SELECT file_id FROM api.open_file(%s, 'artifact', NULL, NULL)", (job,)).fetchone()[0]
            for _ in range(count)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_uploads_of_an_artifact_the_last_to_end_counts(connect, order):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    job = f"66666666-0000-7000-8000-00000000000{order[0]}"
    files = artifacts(quiet, job, 3)
    first, second = (sorted(files[:2])[n] for n in order)
    Call(one, FINISH, (first,), quiet).result()
    call = Call(two, FINISH, (second,), quiet)
    assert not call.settle(), "the second waits for the first"
    one.commit()
    assert call.result() == []
    two.commit()
    states = dict(quiet.execute("SELECT id::text, state FROM tf.file WHERE job_id = %s", (job,)).fetchall())
    assert states == {first: "replaced", second: "complete", files[2]: "open"}


@pytest.mark.parametrize("ending, left", [("commit", 1), ("rollback", 0)])
@pytest.mark.parametrize("other", ["finish", "abandon", "sweep"])
def test_nobody_ends_an_upload_while_a_piece_is_written(connect, other, ending, left):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    sql = {"finish": FINISH, "abandon": "SELECT api.abandon_file(%s)",
           "sweep": "SELECT tfx.sweep_files(10) FROM (SELECT %s) f"}[other]
    file = artifacts(quiet, str(uuid.uuid4()), 1)[0]
    quiet.execute("UPDATE tf.file SET created_at = now() - interval '2 days' WHERE id = %s", (file,))
    one.execute("SELECT api.write_chunk(%s, 0, 'x')", (file,))
    call = Call(two, sql, (file,), quiet)
    if call.settle():
        assert other == "sweep" and call.result() == [(0,)], "it passes by"
    else:
        assert other != "sweep", "the others wait"
    getattr(one, ending)()
    refused = other == "finish" and left == 1  # one byte more than the caller knows of
    assert call.result() == "TF409" if refused else call.error is None
    two.rollback() if refused else two.commit()
    pieces = 0 if other == "abandon" else left
    assert quiet.execute("SELECT count(*) FROM tf.chunk WHERE file_id = %s", (file,)).fetchone() == (pieces,)
    quiet.execute("DELETE FROM tf.file WHERE id = %s", (file,))


def test_no_piece_is_written_to_an_upload_that_has_ended(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    file = artifacts(quiet, str(uuid.uuid4()), 1)[0]
    Call(one, FINISH, (file,), quiet).result()
    call = Call(two, "SELECT api.write_chunk(%s, 0, 'x')", (file,), quiet)
    assert not call.settle(), "it waits for what becomes of the upload"
    one.commit()
    assert call.result() == "TF404"


def test_partitions_are_made_once(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    assert Call(one, "SELECT tfx.make_partitions(6)", (), quiet).result() == [(10,)]
    call = Call(two, "SELECT tfx.make_partitions(6)", (), quiet)
    assert not call.settle(), "the second waits for the first"
    one.commit()
    assert call.result() == [(0,)]


REWRITE = "SELECT tfx.rewrite_table('tf.{0}', %s, NULL::tf.{0}[])"


@pytest.mark.parametrize("table", ["hold", "wait", "lease", "queue_count"])
def test_a_table_is_not_rewritten_while_somebody_uses_it(connect, table):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    one.execute(f"LOCK TABLE tf.{table} IN ACCESS SHARE MODE")
    assert two.execute(REWRITE.format(table), ("10 ms",)).fetchone() == (False,)
    assert Call(one, f"LOCK TABLE tf.{table} IN ROW EXCLUSIVE MODE; SELECT 1", None, quiet).settle(), "it has let go"
    one.rollback()
    two.rollback()
    assert two.execute(REWRITE.format(table), ("10 s",)).fetchone() == (True,)
    two.rollback()


def test_who_uses_a_table_for_long_is_not_waited_for(connect):
    """Others would wait behind us for nothing, each time."""
    quiet, one, two = connect(autocommit=True), connect(), connect()
    one.execute("LOCK TABLE tf.wait IN ACCESS SHARE MODE")
    wait_for(lambda: quiet.execute("SELECT clock_timestamp() - xact_start > interval '1 s' FROM pg_stat_activity"
                                   " WHERE pid = %s", (one.info.backend_pid,)).fetchone()[0], 30, "a long transaction")
    assert Call(two, REWRITE.format("wait"), ("1 h",), quiet).settle(), "it does not wait"
    two.rollback()


@pytest.mark.parametrize("ending", ["commit", "rollback"])
@pytest.mark.parametrize("second", ["claim", "cancel", "ready", "late result", "failure", "expire", "release",
                                    "reaper", "renew", "read", "return"])
def test_what_is_done_while_a_table_is_rewritten_is_as_if_it_was_not(connect, alone, second, ending):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    for table in ("hold", "wait", "lease", "queue_count"):
        for state in STATES:
            case = Case(quiet, state)
            assert one.execute(REWRITE.format(table), ("1 min",)).fetchone() == (True,)
            call = Call(two, ACTIONS[second], case.values, quiet)
            call.settle()
            getattr(one, ending)()
            call.result()
            assert call.refused_or_done(), call.error
            two.commit()
            assert case.observe() == alone(state, second), f"{table}, {state}"
            case.remove()


def test_submissions_and_the_order_of_claims_survive_a_rewrite(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    for priority in (0, 5, 3):
        submit(quiet, 2, "rewritten", priority)
    assert one.execute(REWRITE.format("wait"), ("1 min",)).fetchone() == (True,)
    call = Call(two, "SELECT created FROM api.submit_job('{}', jsonb_build_object('new_id', gen_random_uuid(), 'queue',"
                " 'rewritten', 'sha256', '00', 'priority', 4, 'authenticated', true, 'max_priority', 9))", None, quiet)
    assert not call.settle(), "the submission waits"
    one.commit()
    assert call.result() == [(True,)]
    two.commit()
    assert claim(quiet, [f"r{n}" for n in range(9)], ["rewritten"]) == [5, 5, 4, 3, 3, 0, 0]


def churn(session, rows):
    """Leaves so many dead rows in tf.wait, and waits until that is known."""
    known = "SELECT pg_stat_get_dead_tuples('tf.wait'::regclass)"
    before = session.execute(known).fetchone()[0]
    session.execute("INSERT INTO tf.wait (queue, nprio, seq, job_id, week) SELECT 'dead', 0, n, gen_random_uuid(),"
                    " '2024-01-01' FROM generate_series(1, %s) n", (rows,))
    session.execute("DELETE FROM tf.wait WHERE queue = 'dead'")
    session.execute("SELECT pg_stat_force_next_flush()")
    wait_for(lambda: session.execute(known).fetchone()[0] >= before + rows, 30, "dead rows are known")


def test_hot_tables_are_rewritten_while_somebody_holds_an_old_snapshot(connect):
    quiet, holder = connect(autocommit=True), connect()
    submit(quiet, 3, "kept")
    run = "SELECT what, count, kind, name FROM tfx.rotate_hot(2000, 0, '10 s')"
    quiet.execute("INSERT INTO tf.task VALUES ('rotate_hot', now())")
    holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    holder.execute("SET application_name = 'the one'")
    holder.execute("SELECT count(*) FROM tf.job")
    assert quiet.execute(run).fetchall() == [], "there are no dead rows"
    churn(quiet, 3000)
    quiet.execute("VACUUM tf.wait")
    size = "SELECT pg_relation_size('tf.wait')"
    before = quiet.execute(size).fetchone()[0]
    done = quiet.execute(run).fetchall()
    assert done[:2] == [("rotate_hot", 1, None, None), ("more", 1, None, None)]
    assert done[2][:3] == ("rotate_hot", 1, "warning")
    assert re.fullmatch("dead rows pile up in tf.wait, since an old snapshot is held:"
                        f" pid {holder.info.backend_pid}, application the one, user postgres, for \\d+ s", done[2][3])
    assert quiet.execute(size).fetchone()[0] < before / 2, "now they are gone"
    assert claim(quiet, ["k1", "k2", "k3", "k4"], ["kept"]) == [0, 0, 0]
    assert quiet.execute(run).fetchall() == [], "once is enough"
    churn(quiet, 3000)
    assert [row[2] for row in quiet.execute(run).fetchall()] == [None, None], "it is not told each time"
    holder.rollback()
    churn(quiet, 3000)
    assert quiet.execute(run).fetchall() == [], "without the snapshot they are left to VACUUM"


def test_an_owner_added_while_the_last_one_goes_is_an_owner(connect):
    """Removing the last owner lifts the restriction, unless another one is being added."""
    first, second, watcher = connect(), connect(autocommit=True), connect(autocommit=True)
    watcher.execute("SELECT tfx.store_client('c1', '{}'), tfx.store_client('c2', '{}'),"
                    " api.post_agent('x', '{\"queues\": [\"raced\"]}', NULL)")
    watcher.execute("SELECT api.add_queue_owner('raced', 'c1')")
    first.execute("SELECT api.remove_queue_owner('raced', 'c1')")
    call = Call(second, "SELECT api.add_queue_owner('raced', 'c2')", (), watcher)
    assert not call.settle()
    first.commit()
    call.result()
    assert call.error is None
    assert watcher.execute("SELECT body::jsonb ->> 'owners' FROM api.get_restricted_queue('raced')"
                           ).fetchone() == ('["c2"]',)


def test_a_task_is_done_by_one_server_at_a_time(connect):
    one, two = connect(), connect()
    run = "SELECT what FROM api.run_task('purge_secrets', %s)"
    assert one.execute(run, (60000,)).fetchall() == [("run",)]
    assert two.execute(run, (0,)).fetchall() == [], "somebody is at it, and nobody waits"
    one.commit()
    assert two.execute(run, (60000,)).fetchall() == [], "it was done a moment ago"
    assert two.execute(run, (0,)).fetchall() == [("run",)]
    two.rollback()


def test_who_waited_to_look_at_leases_takes_that_for_no_outage(connect):
    """Somebody else has looked meanwhile: later than this one began, and that is no clock put back."""
    one, two, watcher = connect(), connect(autocommit=True), connect(autocommit=True)
    one.execute("SELECT FROM tf.reaper FOR UPDATE")
    call = Call(two, "SELECT tfx.shift_leases()", (), watcher)
    assert not call.settle()
    one.execute("UPDATE tf.reaper SET last_run = clock_timestamp()")
    one.commit()
    assert call.result() == [(False,)]


def test_an_attempt_begins_after_the_one_before_has_ended(connect):
    """Also when the transaction that claims had begun before."""
    quiet, early = connect(autocommit=True), connect()
    submit(quiet, 1, "again")
    assert len(claim(quiet, ["first"], ["again"])) == 1
    early.execute("SELECT now()")  # READ COMMITTED: its statements see what comes
    quiet.execute("UPDATE tf.lease SET lease_until = now() WHERE queue = 'again'")
    assert ("undelivered",) in quiet.execute("SELECT reason FROM tfx.reap_leases(9)").fetchall()
    assert len(claim(early, ["second"], ["again"])) == 1
    early.commit()
    assert quiet.execute(
        "SELECT b.claimed_at >= a.ended_at FROM tf.attempt a JOIN tf.attempt b"
        " ON (b.job_id, b.attempt) = (a.job_id, a.attempt + 1) WHERE b.agent = 'second'"
    ).fetchall() == [(True,)]


REAPED = "SELECT reason FROM tfx.reap_leases(9)"
STARTED_ANEW = ("SELECT job_id FROM api.claim_jobs('{one}', '{00000000-0000-7000-a000-000000000009}', '{600}', '{new}',"
                " '{1}', ARRAY['{none}'], NULL, false)")


@pytest.mark.parametrize("end", [REAPED, STARTED_ANEW], ids=["the reaper", "the agent, started anew"])
def test_a_claim_that_is_taken_back_is_not_confirmed_at_the_same_time(connect, end):
    """Its agent would run what is given to somebody else, and nobody would count that."""
    quiet, ending, agent = connect(autocommit=True), connect(), connect(autocommit=True)
    token = "00000000-0000-7000-a000-000000000008"
    submit(quiet, 1, "asked")
    job, = quiet.execute("SELECT job_id FROM api.claim_jobs('{one}', ARRAY[%s]::uuid[], '{600}', '{old}', '{1}',"
                         " ARRAY['{asked}'], NULL, false)", (token,)).fetchone()
    if end is REAPED:
        quiet.execute("UPDATE tf.lease SET lease_until = now() WHERE job_id = %s", (job,))
    ending.execute(end)
    call = Call(agent, "SELECT job_state FROM api.read_result(%s, 'one', NULL, %s)", (job, token), quiet)
    assert not call.settle()
    ending.commit()
    assert call.result() == "TF409"
    quiet.execute("UPDATE tf.lease SET lease_until = '-infinity' WHERE job_id = %s", (job,))
    quiet.execute(REAPED)
    assert quiet.execute("SELECT reason FROM tf.attempt WHERE job_id = %s AND attempt = 1", (job,)
                         ).fetchall() == [("undelivered",)]
