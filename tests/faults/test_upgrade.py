# SPDX-License-Identifier: GPL-3.0-or-later
"""The database is upgraded under running servers, and servers meet schemas that are not theirs."""
import subprocess

import pytest

from load import Load
from programs import ROOT, program
from server import Server, dbadmin
from wait import wait_for

FILES = ["--migrations", ROOT / "migrations", "--sql", ROOT / "sql"]


def test_functions_are_made_anew_under_load_without_an_error(server, cluster, database,
                                                             agent_token):
    cookie = server.post("/v1/agents/data/upgrader", {"queues": ["upgrade"]},
                         auth=agent_token).headers["Set-Cookie"].split(";")[0]

    def step(thread, turn):
        if (thread + turn) % 4 == 0:
            return server.post("/v1/job", {"job_queue": "upgrade"})
        if (thread + turn) % 4 == 1:
            return server.get("/v1/job?queue=upgrade", auth=agent_token,
                              headers={"Cookie": cookie})
        if (thread + turn) % 4 == 2:
            return server.get("/v1/agents/data")
        return server.get("/v1/queues/upgrade/jobs")

    with Load(8, step) as load:
        for _ in range(5):
            mark = len(load.results)
            out = dbadmin(cluster, database, "migrate", "--reinstall", *FILES)
            assert "installed the functions" in out
            wait_for(lambda: load.count(since=mark) > 50, what="requests after the upgrade")
    assert [reply for reply in load.results if reply.status not in (200, 204)] == []


def test_a_reset_under_load_leaves_servers_working(server, cluster, database):
    def step(thread, turn):
        reply = server.post("/v1/job", {"job_queue": f"reset-{thread}"})
        if reply.status != 200:
            return reply
        return server.post(f"/v1/job/{reply.json()['job_id']}/action", {"action": "cancel"})

    with Load(8, step) as load:
        for _ in range(3):
            mark = len(load.results)
            dbadmin(cluster, database, "reset", "--yes")
            wait_for(lambda: load.count(since=mark) > 50, what="requests after the reset")
    # 400: the job was gone before it could be cancelled
    assert [reply for reply in load.results if reply.status not in (200, 400)] == []


@pytest.fixture(name="schema")
def schema_version(cluster, database):
    """Says another version, and the right one again at the end."""
    before = cluster.psql("SELECT version, oldest_server FROM tf.schema_version", database)

    def change(version, oldest_server):
        cluster.psql(f"UPDATE tf.schema_version SET version = {version}, "
                     f"oldest_server = {oldest_server}", database)
    yield change
    change(*before.split("|"))


def start_and_fail(cluster, database, directory):
    server = Server(cluster, database, directory)
    server.write_config()
    done = subprocess.run([program("testflinger-server"), "-c", server.dir / "server.conf"],
                          check=False, timeout=60, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode not in (0, -6, -11), done.stdout
    return done.stdout


def test_a_schema_that_needs_newer_servers_is_refused(server, cluster, database, schema, tmp_path):
    schema(4711, 4710)
    assert "4710" in start_and_fail(cluster, database, tmp_path)
    wait_for(lambda: server.get("/readyz").status == 503, what="the running server is not ready")
    assert "4710" in server.get("/readyz").text
    schema(4711, 1)
    wait_for(lambda: server.get("/readyz").status == 200, what="a newer schema is fine")


def test_a_schema_that_is_too_old_is_refused(cluster, database, schema, tmp_path):
    schema(0, 0)
    text = start_and_fail(cluster, database, tmp_path)
    assert "0" in text and "migrate" in text


def test_a_database_without_a_schema_is_refused(cluster, tmp_path):
    empty = cluster.clone("template1")
    try:
        assert "migrate" in start_and_fail(cluster, empty, tmp_path)
    finally:
        cluster.drop(empty)
