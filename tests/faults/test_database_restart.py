# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL goes away under load, in all the ways it can: the server answers 503 with Retry-After
meanwhile, goes on by itself afterwards, and what it acknowledged is there."""
import http.client
import os
import pathlib
import signal
import uuid

import pytest

from caller import Caller
from conftest import DATABASE, new_cluster
from load import Load
from server import Server
from wait import wait_for

THREADS = 8


@pytest.fixture(name="own")
def own_cluster():
    """For each test: PostgreSQL goes away in another way."""
    with new_cluster() as made:
        yield made


@pytest.fixture(name="busy")
def busy_server(own, tmp_path):
    made = Server(own, DATABASE, tmp_path, statement_timeout_ms=2000, connect_timeout_s=2).start()
    yield made
    assert made.stop() == 0, made.process.tail()


def children(pid):
    """Pids of PostgreSQL's processes, which are in sessions of their own."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def kill_everything(cluster):
    """kill -9 of the postmaster and, since it cannot do that any more, of its children."""
    pids = children(cluster.process.pid)
    cluster.process.kill()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids),
             what="PostgreSQL's processes are gone")


class Submitter:
    """Submits jobs under ids of its own; says what came of each."""

    def __init__(self, server):
        self.server = server

    def __call__(self, thread, turn):
        job_id = str(uuid.uuid4())
        reply = self.server.post("/v1/job", {"job_queue": f"q{thread}", "job_id": job_id})
        if reply.status == 503:
            assert int(reply.headers["Retry-After"]) > 0
            assert "message" in reply.json()
            assert "SQL" not in reply.text and "socket" not in reply.text
        return reply.status, job_id


def accepted(result):
    return result[0] == 200


def refused(result):
    return result[0] == 503


def check_afterwards(server, cluster, load):
    assert {status for status, _ in load.results} <= {200, 503}
    acknowledged = {job_id for status, job_id in load.results if status == 200}
    stored = set(cluster.psql("SELECT id FROM tf.job", DATABASE).split())
    assert acknowledged <= stored
    waiting = set(cluster.psql("SELECT job_id FROM tf.wait", DATABASE).split())
    assert waiting == stored
    assert server.process.running()


def outage(server, cluster, stop, start):
    """Load before, during and after."""
    with Load(THREADS, Submitter(server)) as load:
        wait_for(lambda: load.count(accepted) > 100, what="jobs are accepted")
        stop()
        mark = len(load.results)
        wait_for(lambda: load.count(refused, mark) >= 2 * THREADS, what="jobs are refused")
        assert server.get("/healthz").status == 200
        wait_for(lambda: server.get("/readyz").status == 503, what="/readyz says no")
        start()
        mark = len(load.results)
        wait_for(lambda: load.count(accepted, mark) > 100, what="jobs are accepted again")
        wait_for(lambda: server.get("/readyz").status == 200, what="/readyz says yes")
    check_afterwards(server, cluster, load)


def test_postgresql_is_killed_and_started_again(busy, own):
    outage(busy, own, lambda: kill_everything(own), own.start)


def test_postgresql_is_shut_down_and_started_again(busy, own):
    outage(busy, own, own.halt, own.start)


def test_postgresql_is_frozen_and_goes_on(busy, own):
    def send(number):
        for pid in [own.process.pid, *children(own.process.pid)]:
            os.kill(pid, number)
    outage(busy, own, lambda: send(signal.SIGSTOP), lambda: send(signal.SIGCONT))


def test_a_restart_that_takes_a_moment_only(busy, own):
    """Connections break, and the next request of each worker opens its own again."""
    with Load(THREADS, Submitter(busy)) as load:
        for _ in range(3):
            mark = len(load.results)
            own.halt()
            own.start()
            wait_for(lambda: load.count(accepted, mark) > 100, what="jobs are accepted again")
    check_afterwards(busy, own, load)


def test_connections_are_ended_by_the_operator(busy, own):
    with Load(THREADS, Submitter(busy)) as load:
        for _ in range(10):
            mark = len(load.results)
            own.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE usename = 'server_login'")
            wait_for(lambda: load.count(accepted, mark) > 20, what="jobs are accepted again")
    check_afterwards(busy, own, load)


def test_the_same_submission_again_after_503_makes_one_job(busy, own):
    """What a client does that got 503 and cannot know whether the job was made."""
    def step(thread, turn):
        job_id = str(uuid.uuid4())
        tries = 0
        while True:
            tries += 1
            reply = busy.post("/v1/job", {"job_queue": "again", "job_id": job_id})
            if reply.status != 503:
                assert reply.status == 200 and reply.json()["job_id"] == job_id, reply
                return tries, job_id
    with Load(THREADS, step) as load:
        for _ in range(3):
            mark = len(load.results)
            own.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE usename = 'server_login'")
            wait_for(lambda: load.count(since=mark) > 50, what="jobs are accepted again")
        own.halt()
        own.start()
        wait_for(lambda: load.count(lambda result: result[0] > 1) > 0, what="something was repeated")
    ids = sorted(job_id for _, job_id in load.results)
    assert sorted(own.psql("SELECT id FROM tf.job", DATABASE).split()) == ids


def test_renewals_go_on_after_an_outage(busy, own):
    """Those that are made together are refused together, and repeated by their agents."""
    agent = Caller(busy, busy.token(*busy.add_client("lab", "agent")), "dut")
    job = busy.post("/v1/job", {"job_queue": "kept"}, auth=busy.token()).json()["job_id"]
    token = agent.get("/v1/job?queue=kept&lease=600").json()["lease"]["token"]

    def renew(thread, turn):
        reply = agent.post(f"/v1/job/{job}/lease", headers={"Testflinger-Lease": token})
        assert reply.status != 503 or int(reply.headers["Retry-After"]) > 0
        return reply.status, turn

    with Load(THREADS, renew) as load:
        wait_for(lambda: load.count(accepted) > 20, what="the lease is renewed")
        own.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'server_login'")
        wait_for(lambda mark=len(load.results): load.count(accepted, mark) > 20, what="it is again")
        kill_everything(own)
        wait_for(lambda mark=len(load.results): load.count(refused, mark) >= 2 * THREADS, what="nobody can renew")
        own.start()
        wait_for(lambda mark=len(load.results): load.count(accepted, mark) > 20, what="it is again")
    assert {status for status, _ in load.results} == {200, 503}


def test_a_server_that_starts_before_its_database_waits_for_it(own, tmp_path):
    own.halt()
    made = Server(own, DATABASE, tmp_path).launch()
    try:
        assert made.get("/healthz").status == 200
        assert made.get("/readyz").status == 503
        assert made.post("/v1/job", {"job_queue": "q"}).status == 503
        own.start()
        made.process.until(lambda: made.get("/readyz").status == 200, what="/readyz says yes")
        assert made.post("/v1/job", {"job_queue": "q"}).status == 200
    finally:
        made.stop()


def test_an_answer_that_is_under_way_is_not_cut_short(busy, own):
    """A kept connection to the server outlives its connection to the database."""
    connection = http.client.HTTPConnection("127.0.0.1", busy.port, timeout=60)

    def get():
        connection.request("GET", "/v1/agents/data")
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert get() == 200
    own.halt()
    assert get() == 503
    own.start()
    wait_for(lambda: get() == 200, what="the same connection is served again")
    connection.close()
