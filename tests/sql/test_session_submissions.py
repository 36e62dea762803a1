# SPDX-License-Identifier: GPL-3.0-or-later
"""The same submission twice at once, and batches of them."""
import json
import uuid

import pytest

from race import SUBMIT
from session import Call

pytestmark = pytest.mark.usefixtures("rules")


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
