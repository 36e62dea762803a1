# SPDX-License-Identifier: GPL-3.0-or-later
"""Callers of every role."""
import pytest

from caller import Caller, new_name
from server import Server


@pytest.fixture(scope="module")
def server(cluster, database, tmp_path_factory):
    """As for all tests, but logging in costs less."""
    made = Server(cluster, database, tmp_path_factory.mktemp("server"), bcrypt_cost=4).start()
    yield made
    assert made.stop() == 0, made.process.tail()


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
def queue():
    return new_name("queue")
