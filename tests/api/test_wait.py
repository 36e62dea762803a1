# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that wait for something to change: ?wait=SECONDS.  A change may be made through another
server than the one that is asked."""
import contextlib
import http.client
import os
import re

import pytest

from caller import Caller, assert_refused
from server import Server
from wait import wait_for

LONG = 120  # longer than any test may take: an answer before that came because of a change


@pytest.fixture
def job(user, queue):
    return user.submit(queue)


def status(caller, job, query=""):
    reply = caller.get(f"/v1/job/{job}/status{query}")
    assert reply.status == 200, reply
    return reply.json()


def wait_in(pool, caller, job, wait=LONG):
    """Asks for the next status and returns the future answer, once the request is parked."""
    before = caller.server.parked()
    version = status(caller, job)["version"]
    future = pool.submit(status, caller, job, f"?wait={wait}&after={version}")
    wait_for(lambda: caller.server.parked() > before, what="the request is parked")
    return future


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_change_is_answered_wherever_it_was_made(user, server, other, pool, job, where):
    future = wait_in(pool, user, job)
    by = user if where == "here" else Caller(other, user.auth)
    assert by.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
    assert future.result(30)["job_state"] == "cancelled"
    assert server.parked() == 0


def test_each_change_of_a_job_s_life(user, agent, other, pool, queue, job):
    far = Caller(other, agent.auth, agent.agent)
    changes = [
        (lambda: agent.claim(queue), "running"),
        (lambda: far.post(f"/v1/result/{job}", {"job_state": "setup"}), "setup"),
        (lambda: agent.post(f"/v1/result/{job}", {"job_state": "test", "status": {"setup": 0}}), "test"),
        (lambda: far.post(f"/v1/result/{job}", {"job_state": "complete"}), "complete"),
    ]
    for change, state in changes:
        future = wait_in(pool, user, job)
        assert change()
        assert future.result(30)["job_state"] == state


def test_attachments_make_a_change(user, other, pool, queue):
    job = user.submit(queue, test_data={"attachments": [{"agent": "a"}]})
    future = wait_in(pool, Caller(other, user.auth), job)
    user.upload(f"/v1/job/{job}/attachments", b"x")
    assert future.result(30)["waits_for"] == "agent"


def test_another_version_is_answered_at_once(user, job):
    for query in (f"?wait={LONG}&after=x", f"?wait={LONG}", f"?wait={LONG}&after=", "?after=x"):
        assert status(user, job, query)["job_state"] == "waiting"


def test_without_a_change_the_time_ends_it(user, job):
    seen = status(user, job)
    assert status(user, job, f"?wait=1&after={seen['version']}") == seen
    tag = user.get(f"/v1/job/{job}/status").headers["ETag"]
    reply = user.get(f"/v1/job/{job}/status?wait=1&after={seen['version']}", headers={"If-None-Match": tag})
    assert reply.status == 304


def test_waiting_is_no_time_to_the_answer(cluster, database, tmp_path, user, job):
    made = Server(cluster, database, tmp_path, "timed").start()
    version = status(Caller(made, user.auth), job)["version"]
    status(Caller(made, user.auth), job, f"?wait=3&after={version}")
    found = re.findall(r"^testflinger_http_request_seconds_sum{.*/status.*} (\S+)$", made.get("/metrics").text, re.M)
    assert len(found) == 1 and float(found[0]) < 2.5, found
    assert made.stop() == 0


def test_head_does_not_wait(user, job):
    version = status(user, job)["version"]
    assert user.request("HEAD", f"/v1/job/{job}/status?wait={LONG}&after={version}").status == 200


@pytest.mark.parametrize("wait", ["0", "-1", "301", "x", "", "1.5"])
def test_bad_times(user, job, wait):
    assert_refused(user.get(f"/v1/job/{job}/status?wait={wait}&after=x"), 400)


def open_waiting(server, job, version, wait=LONG):
    """A connection with a request that waits; nothing was read from it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"/v1/job/{job}/status?wait={wait}&after={version}")
    return connection


def test_a_client_that_leaves_is_noticed(user, server, job):
    version = status(user, job)["version"]
    gone = server.metric("testflinger_http_clients_gone_total")
    connection = open_waiting(server, job, version)
    wait_for(lambda: server.parked() == 1)
    connection.close()
    wait_for(lambda: server.parked() == 0, what="the request is given up")
    assert server.metric("testflinger_http_clients_gone_total") == gone + 1


def thread_count(server):
    return len(os.listdir(f"/proc/{server.process.pid}/task"))


def sessions_of(cluster, database):
    return int(cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'testflinger-server'"
                            f" AND datname = '{database}'"))


def test_a_thousand_waiting_requests_cost_no_thread(cluster, database, tmp_path, user, queue):
    others = sessions_of(cluster, database)
    made = Server(cluster, database, tmp_path, "many", workers=2, slow_workers=1).start()
    caller = Caller(made, user.auth)
    job = user.submit(queue)
    version = status(caller, job)["version"]
    threads = thread_count(made)
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(contextlib.closing(open_waiting(made, job, version))) for _ in range(1000)]
        wait_for(lambda: made.parked() == 1000, what="all wait")
        assert thread_count(made) == threads
        # its workers, the reaper, the listener; those of the other servers may be opened just now
        assert sessions_of(cluster, database) <= others + 3 + 2 + 8
        assert user.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
        for connection in waiting:
            reply = connection.getresponse()
            assert reply.status == 200 and b'"cancelled"' in reply.read()
    assert made.stop() == 0


def test_a_server_that_stops_answers_them_first(cluster, database, tmp_path, user, pool, job):
    made = Server(cluster, database, tmp_path, "stopping").start()
    future = wait_in(pool, Caller(made, user.auth), job)
    assert made.stop() == 0
    assert future.result(30)["job_state"] == "waiting"


def test_a_change_that_nobody_was_told_of_is_seen_all_the_same(cluster, database, user, pool, job):
    future = wait_in(pool, user, job)
    cluster.psql(f"SELECT api.cancel_job('{job}', NULL)", database)
    assert future.result(60)["job_state"] == "cancelled"


def test_changes_are_heard_again_after_the_connection_was_lost(cluster, database, user, other, pool, job):
    future = wait_in(pool, Caller(other, user.auth), job)
    cluster.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 f" WHERE datname = '{database}' AND query LIKE 'LISTEN%'")
    wait_for(lambda: other.metric("testflinger_listening") == 1)
    assert user.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
    assert future.result(30)["job_state"] == "cancelled"


@pytest.fixture(scope="module")
def narrow(cluster, database, tmp_path_factory):
    made = Server(cluster, database, tmp_path_factory.mktemp("narrow"), waiting_max=2).start()
    yield made
    assert made.stop() == 0, made.process.tail()


def test_each_client_has_so_many_places(user, agent, manager, anonymous, narrow, pool, queue, job):
    """Of agents each one has."""
    version = status(user, job)["version"]
    path = f"/v1/job/{job}/status?wait={LONG}&after={version}"
    one, two = (Caller(narrow, agent.auth, name) for name in ("place-one", "place-two"))
    near, boss, nobody = (Caller(narrow, caller.auth) for caller in (user, manager, anonymous))
    claim = f"/v1/job?queue={queue}-none&wait={LONG}"
    futures = []
    for caller, what in [(near, path), (near, path), (one, claim), (one, path), (two, claim), (nobody, path),
                         (nobody, path)]:
        futures.append(pool.submit(caller.get, what))
        wait_for(lambda: narrow.parked() == len(futures), what="it waits")
    for caller, what in [(near, path), (one, claim), (one, path), (nobody, path)]:
        reply = caller.get(what)
        assert (reply.status, "Retry-After" in reply.headers) == (429, True)
    reply = near.get(f"/v1/job/{job}/timeline", headers={"Accept": "text/event-stream"})
    assert_refused(reply, 429)
    assert near.get(f"/v1/job/{job}/status").status == 200, "who does not wait takes no place"
    futures.append(pool.submit(boss.get, path))
    wait_for(lambda: narrow.parked() == len(futures), what="others have places")
    assert user.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
    wait_for(lambda: narrow.parked() == 2, what="only the claims wait")
    futures.append(pool.submit(near.get, f"/v1/job/{user.submit(queue)}/status?wait={LONG}&after=0"))
    assert futures[-1].result(30).status == 200, "places come back"
    for _ in (one, two):
        user.submit(f"{queue}-none")
    assert {future.result(30).status for future in futures} == {200}
