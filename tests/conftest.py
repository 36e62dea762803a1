# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for everything that talks to running programs.

One PostgreSQL cluster for the run, one migrated template in it; each test file gets a database
cloned from it and, if it asks, one server.  Tests that break things ask for their own."""
import signal

import pytest

from cluster import Cluster
from server import ADMIN_ID, ADMIN_SECRET, Server, dbadmin

TEMPLATE = "testflinger_template"

# Whoever started us in the background had it ignored, and what is ignored stays so in children: a
# shell script among them could not even trap it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# As Ctrl-C does: the fixtures end what they started.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def cluster():
    made = Cluster()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def template(cluster):
    """The name of a migrated database with the system admin in it; clone it, do not use it."""
    cluster.migrate(TEMPLATE)
    dbadmin(cluster, TEMPLATE, "client", "add", ADMIN_ID, "--role", "admin", given=ADMIN_SECRET + "\n")
    return TEMPLATE


@pytest.fixture(scope="module")
def database(cluster, template):
    name = cluster.clone(template)
    yield name
    cluster.drop(name)


@pytest.fixture(scope="module")
def server(cluster, database, tmp_path_factory):
    made = Server(cluster, database, tmp_path_factory.mktemp("server")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(scope="module")
def admin(server):
    """An access token of the system admin."""
    return server.token()


@pytest.fixture(scope="module")
def agent_token(server):
    return server.token(*server.add_client("agent-of-the-tests", "agent"))
