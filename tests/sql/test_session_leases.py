# SPDX-License-Identifier: GPL-3.0-or-later
"""Renewals, posts, and what ends leases, beside each other: whoever can wait for nobody does not."""
import pytest

from race import claim, submit
from session import Call

pytestmark = pytest.mark.usefixtures("rules")


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


def test_who_waited_to_look_at_leases_takes_that_for_no_outage(connect):
    """Somebody else has looked meanwhile: later than this one began, and that is no clock put back."""
    one, two, watcher = connect(), connect(autocommit=True), connect(autocommit=True)
    one.execute("SELECT FROM tf.reaper FOR UPDATE")
    call = Call(two, "SELECT tfx.shift_leases()", (), watcher)
    assert not call.settle()
    one.execute("UPDATE tf.reaper SET last_run = clock_timestamp()")
    one.commit()
    assert call.result() == [(False,)]
