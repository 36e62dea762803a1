# SPDX-License-Identifier: GPL-3.0-or-later
"""Callers of every role, and what stands beside the server."""
import concurrent.futures

import pytest

from caller import Caller, new_name
from receiver import Receiver
from server import Server
from wait import wait_for
from wakes import Wakes


@pytest.fixture(scope="module")
def server(cluster, database, tmp_path_factory):
    """As for all tests, but logging in costs less."""
    made = Server(cluster, database, tmp_path_factory.mktemp("server"), bcrypt_cost=4).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(scope="module")
def other(cluster, database, tmp_path_factory):
    """A second server on the same database."""
    made = Server(cluster, database, tmp_path_factory.mktemp("other"), "other", bcrypt_cost=4).start()
    wait_for(lambda: made.metric("testflinger_listening") == 1, what="the second server listens")
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(scope="module")
def receiver():
    """Where webhooks lead."""
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def pool():
    """Threads for requests that wait."""
    with concurrent.futures.ThreadPoolExecutor(16) as made:
        yield made


def of_role(server, role, **limits):
    return Caller(server, server.token(*server.add_client(new_name(role), role, **limits)))


@pytest.fixture(scope="module")
def boss(server, admin):
    return Caller(server, admin)


@pytest.fixture(scope="module")
def manager(server):
    return of_role(server, "manager")


@pytest.fixture(scope="module")
def user(server):
    """A contributor."""
    return of_role(server, "contributor")


@pytest.fixture(scope="module")
def agent(server):
    return Caller(server, of_role(server, "agent").auth, "dut-1")


@pytest.fixture(scope="module")
def anonymous(server):
    return Caller(server)


@pytest.fixture
def wakes(cluster, database):
    made = Wakes(cluster.conninfo(database))
    yield made
    made.close()


@pytest.fixture
def queue():
    return new_name("queue")
