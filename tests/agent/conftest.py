# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent against a server that does what the test says."""
import pytest

from agent import Agent
from fakeserver import FakeServer


@pytest.fixture
def fake():
    server = FakeServer().start()
    yield server
    server.stop()


@pytest.fixture
def make_agent(fake, tmp_path):
    """Starts agents; at the end each must have ended well after SIGTERM."""
    made = []

    def make(start=True, **options):
        agent = Agent(tmp_path, fake.url, **options)
        made.append(agent)
        return agent.start() if start else agent

    yield make
    for agent in made:
        if agent.process and agent.process.running():
            assert agent.stop() == 0, agent.process.tail(100)
        assert "ERROR: AddressSanitizer" not in (agent.process.output() if agent.process else "")
        assert "ERROR: LeakSanitizer" not in (agent.process.output() if agent.process else "")
