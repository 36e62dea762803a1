# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for everything that talks to running programs.

One PostgreSQL cluster for the run, one migrated template in it; each test file gets a database
cloned from it and, if it asks, one server.  Tests that break things ask for their own."""
import contextlib
import os
import pathlib
import signal

import pytest

from cluster import Cluster
from server import ADMIN_ID, ADMIN_SECRET, Server, dbadmin

TEMPLATE = "testflinger_template"


def on_interruption(handler):
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, handler)


def interrupt(number, frame):
    """The fixtures end what they started.  Once: a worker may be told by the terminal, by ./quickstart
    and by pytest, which must not keep the fixtures from their work."""
    on_interruption(lambda *_: None)
    signal.default_int_handler(number, frame)


# Whoever started us in the background had SIGINT ignored, and what is ignored stays so in children: a
# shell script among them could not even trap it.
on_interruption(interrupt)

WORKERS = pytest.StashKey()
WORKER_END_S = 60


@pytest.hookimpl(optionalhook=True)
def pytest_testnodeready(node):
    """A worker of pytest-xdist is there."""
    node.config.stash.setdefault(WORKERS, []).append(node.channel)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session, exitstatus):
    """Workers are told of an interruption, and have the time that their fixtures need: left to itself,
    pytest-xdist kills them after ten seconds."""
    channels = session.config.stash.get(WORKERS, [])
    if exitstatus != pytest.ExitCode.INTERRUPTED or not channels:
        return
    for pid in pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        os.kill(int(pid), signal.SIGTERM)
    for channel in channels:
        with contextlib.suppress(channel.TimeoutError, channel.RemoteError, EOFError):
            channel.waitclose(WORKER_END_S)


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
