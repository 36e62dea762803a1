# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims beside each other, and beside whoever has the agent or the lease."""
import pytest

from race import claim, submit
from session import Call

pytestmark = pytest.mark.usefixtures("rules")


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
