# SPDX-License-Identifier: GPL-3.0-or-later
"""A server behind pgbouncer in transaction mode, with db_prepare = no: nothing may depend on what a
session remembers, since each transaction may run on another connection."""
import shutil

import pytest

from cluster import SERVER_LOGIN, as_owner
from conftest import DATABASE
from load import Load
from programs import ROOT, Process
from server import Server, dbadmin
from wait import wait_for

PORT = 6432
SETTINGS = """\
[databases]
{database} = host={cluster}
[pgbouncer]
listen_port = {port}
unix_socket_dir = {dir}
auth_type = any
pool_mode = transaction
default_pool_size = 3
server_login_retry = 1
query_wait_timeout = 5
"""


class Pooled:
    """What Server asks a cluster for, but by way of the pooler."""

    def __init__(self, cluster, directory):
        self.cluster = cluster
        self.dir = directory

    def conninfo(self, database, user):
        assert user == SERVER_LOGIN
        # a forced user in [databases] would be another way; auth_type any logs all in as one
        return f"host={self.dir} port={PORT} dbname={database} user={user}"


@pytest.fixture(name="pooled", scope="module")
def pooled_server(own, tmp_path_factory):
    tool = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    text = SETTINGS.format(database=DATABASE, cluster=f"{own.dir} user={SERVER_LOGIN}",
                           port=PORT, dir=own.dir)
    (own.dir / "pgbouncer.ini").write_text(text)
    pooler = Process(as_owner([tool, own.dir / "pgbouncer.ini"]), own.dir / "pgbouncer.log",
                     cwd="/tmp")
    pooler.until((own.dir / f".s.PGSQL.{PORT}").exists, what="pgbouncer listens")
    made = Server(Pooled(own, own.dir), DATABASE, tmp_path_factory.mktemp("pooled"),
                  db_prepare=False, bcrypt_cost=4).start()
    yield made
    assert made.stop() == 0, made.process.tail()
    pooler.stop()


def test_jobs_live_and_end_behind_a_pooler(pooled):
    token = pooled.token(*pooled.add_client("pooled-agent", "agent"))

    def step(thread, turn):
        queue, agent = f"pooled-{thread}", f"pooled-agent-{thread}"
        job_id = pooled.post("/v1/job", {"job_queue": queue, "name": str(turn)}).json()["job_id"]
        cookie = pooled.post(f"/v1/agents/data/{agent}", {"queues": [queue]},
                             auth=token).headers["Set-Cookie"].split(";")[0]
        job = pooled.get(f"/v1/job?queue={queue}", auth=token, headers={"Cookie": cookie}).json()
        assert job["job_id"] == job_id
        log = {"fragment_number": 0, "timestamp": "2026-01-01T00:00:00Z", "phase": "test",
               "log_data": "\0 and more"}
        assert pooled.post(f"/v1/result/{job_id}/log/output", log, auth=token).status == 200
        assert pooled.post(f"/v1/result/{job_id}", {"job_state": "complete"},
                           auth=token).status == 200
        result = pooled.get(f"/v1/result/{job_id}").json()
        assert result["test_output"] == "\0 and more" and result["job_state"] == "complete"

    with Load(8, step) as load:
        wait_for(lambda: load.count() > 100, what="100 jobs")


def test_recovery_behind_a_pooler(pooled, own):
    own.halt()
    reply = wait_for(lambda: (answer := pooled.get("/v1/agents/data")).status == 503 and answer,
                     what="503")
    assert int(reply.headers["Retry-After"]) > 0
    own.start()
    wait_for(lambda: pooled.get("/v1/agents/data").status == 200, what="200 again")


def test_functions_made_anew_behind_a_pooler(pooled, own):
    with Load(4, lambda thread, turn: pooled.get("/v1/agents/data").status) as load:
        for _ in range(3):
            mark = len(load.results)
            dbadmin(own, DATABASE, "migrate", "--reinstall", "--migrations", ROOT / "migrations",
                    "--sql", ROOT / "sql")
            wait_for(lambda: load.count(since=mark) > 20, what="requests")
    assert set(load.results) == {200}
