# SPDX-License-Identifier: GPL-3.0-or-later
"""A loaded server asks agents that poll to stay away for longer."""
import psycopg
import pytest

from caller import Caller
from server import Server
from wait import wait_for

SERIES = "testflinger_poll_pause_seconds"


@pytest.fixture(scope="module")
def loaded(cluster, database, tmp_path_factory):
    made = Server(cluster, database, tmp_path_factory.mktemp("loaded"), "loaded", bcrypt_cost=4).start()
    yield made
    assert made.stop() == 0, made.process.tail()


def test_who_polls_a_loaded_server_is_told_to_come_back_later(cluster, database, loaded, user, agent, pool, queue):
    poller = Caller(loaded, agent.auth, agent.agent)
    poll = f"/v1/job?queue={queue}"
    reply = poller.get(poll)
    assert reply.status == 204 and "Retry-After" not in reply.headers
    with psycopg.connect(cluster.conninfo(database)) as session:
        session.execute("LOCK TABLE tf.wait IN ACCESS EXCLUSIVE MODE")
        slow = pool.submit(poller.get, poll)
        wait_for(lambda: cluster.psql(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'relation' AND query LIKE '%claim_jobs%'"
            " AND query_start < clock_timestamp() - interval '2 s'", database), what="a poll that takes long")
        session.rollback()
    assert slow.result().status == 204
    assert 15 <= int(slow.result().headers["Retry-After"]) <= 22
    assert loaded.metric(SERIES) == 15
    reply = poller.get(poll)
    assert reply.status == 204 and 15 <= int(reply.headers["Retry-After"]) <= 22
    assert "Retry-After" not in poller.get(f"{poll}&wait=1").headers, "who waits here is no burden"
    assert "Retry-After" not in poller.request("HEAD", poll).headers
    job = user.submit(queue)
    reply = poller.get(poll)
    assert reply.json()["job_id"] == job and "Retry-After" not in reply.headers
