# SPDX-License-Identifier: GPL-3.0-or-later
"""A NOTIFY that does not come to its end, since its commit waits for a standby server that is away: it
holds a lock on the whole cluster."""
import contextlib
import threading

import psycopg
import pytest

from conftest import DATABASE, new_cluster
from server import Server
from wait import wait_for
from wakes import Wakes

STUCK = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
FREE = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture(name="own", scope="module")
def own_cluster():
    with new_cluster({"synchronous_standby_names": "nobody", "synchronous_commit": "local"}) as made:
        yield made


@contextlib.contextmanager
def commit_on(own, sql):
    """Runs it, and waits until it is done or waits for the standby, which it does no more at the end."""
    with psycopg.connect(own.conninfo(DATABASE), autocommit=True) as session:
        session.execute("SET synchronous_commit = on")
        thread = threading.Thread(target=session.execute, args=(sql,))
        thread.start()
        wait_for(lambda: not thread.is_alive() or own.psql(STUCK) == "1")
        try:
            yield
        finally:
            own.psql(FREE)
            thread.join()


@pytest.fixture(name="server")
def a_server(own, tmp_path):
    made = Server(own, DATABASE, tmp_path).start()
    yield made
    assert made.stop() == 0


def test_what_cannot_be_told_is_told_later(own, server):
    wait_for(lambda: server.metric("testflinger_listening") == 1)
    wakes = Wakes(own.conninfo(DATABASE))
    with commit_on(own, "CREATE TABLE written (); NOTIFY other"):
        assert server.post("/v1/job", {"job_queue": "q"}).status == 200
        wait_for(lambda: own.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%api.notify%'"
                                  " AND state = 'idle' AND application_name = 'testflinger-server'") == "1",
                 what="it is put off, and the connection kept")
        assert server.metric("testflinger_listening") == 1
        assert not wakes.heard("queue", "q")
    wait_for(wakes.heard_all, what="it is told")
    wakes.close()


def test_ours_does_not_wait_for_the_standby(own):
    with commit_on(own, "CREATE TABLE ours (); SELECT api.notify('*')"):
        assert own.psql(STUCK) == "0"
