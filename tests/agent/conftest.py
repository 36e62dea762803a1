# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent against a server that does what the test says."""
import contextlib

import pytest

from agent import Agent
from fakeserver import FakeServer
from traces import check_nothing_left, check_zombies


@contextlib.contextmanager
def agents_of(fake, directory):
    """A function that starts agents.  At the end each must end well after SIGTERM, without anything
    that the sanitizers complain of, and no process of any job may be left."""
    made = []

    def make(start=True, **options):
        agent = Agent(directory, fake.url, **options)
        made.append(agent)
        return agent.start() if start else agent

    try:
        yield make
    finally:
        ended = [end(agent) for agent in made if agent.process]
    assert all(status == 0 for status in ended), made[-1].process.tail(100)
    for agent in made:
        if agent.process:
            agent.process.check_well()
    check_nothing_left(fake.jobs)


def end(agent):
    """Its status; 0 for one that had ended before."""
    if not agent.process.running():
        return 0
    try:
        check_zombies(agent)
    finally:
        status = agent.stop()
    return status


@pytest.fixture
def fake():
    server = FakeServer().start()
    yield server
    server.stop()


@pytest.fixture
def make_agent(fake, tmp_path):
    with agents_of(fake, tmp_path) as make:
        yield make
