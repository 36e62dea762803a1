# SPDX-License-Identifier: GPL-3.0-or-later
"""Large things have workers of their own: whatever they wait for, small requests are answered."""
import psycopg
import pytest

from caller import Caller
from server import Server
from wait import wait_for

PIECES = b"x" * (300 << 10)


@pytest.fixture(scope="module")
def narrow(cluster, database, tmp_path_factory):
    """A server with as few workers as there can be."""
    made = Server(cluster, database, tmp_path_factory.mktemp("narrow"), "narrow", workers=1, bulk_workers=1,
                  bcrypt_cost=4).start()
    yield made
    assert made.stop() == 0, made.process.tail()


def upload(agent, job):
    return agent.upload(f"/v1/result/{job}/artifact", PIECES)


def append(agent, job):
    return agent.post(f"/v1/result/{job}/log/output",
                      {"fragment_number": 0, "timestamp": "2026-01-01T00:00:00Z", "phase": "test",
                       "log_data": PIECES.decode()})


@pytest.mark.parametrize("send,table", [(upload, "tf.chunk"), (append, "tf.log")])
def test_a_large_body_that_waits_holds_up_no_poll(cluster, database, narrow, user, agent, pool, queue, send, table):
    uploader, poller = (Caller(narrow, agent.auth, name) for name in (agent.agent, f"idle-{queue}"))
    job = user.submit(queue)
    agent.claim(queue)
    with psycopg.connect(cluster.conninfo(database)) as session:
        session.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        sent = pool.submit(send, uploader, job)
        wait_for(lambda: cluster.psql(f"SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass",
                                      database), what="the body waits for the table")
        assert poller.get(f"/v1/job?queue={queue}").status == 204
        assert not sent.done()
        session.rollback()
    assert sent.result().status == 200


def test_a_long_answer_is_read_beside_small_requests(cluster, database, narrow, user, agent, pool, queue):
    job = user.submit(queue)
    agent.claim(queue)
    assert upload(agent, job).status == 200
    reader = Caller(narrow, user.auth)
    with psycopg.connect(cluster.conninfo(database)) as session:
        session.execute("LOCK TABLE tf.chunk IN ACCESS EXCLUSIVE MODE")
        read = pool.submit(reader.get, f"/v1/result/{job}/artifact")
        wait_for(lambda: cluster.psql("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'tf.chunk'::regclass",
                                      database), what="the download waits for the table")
        assert reader.get(f"/v1/job/{job}/status").status == 200
        session.rollback()
    assert read.result().body == PIECES
