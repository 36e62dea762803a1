# SPDX-License-Identifier: GPL-3.0-or-later
"""The device connector as the agent runs it: what of its files and statuses arrives at the server."""
import json

import pytest

from agent import Agent
from connector import as_command
from fakeserver import FakeServer
from wait import wait_for

STAGES = {"provision": "provision", "test": "runtest", "allocate": "allocate", "reserve": "reserve",
          "cleanup": "cleanup"}


@pytest.fixture
def fake():
    server = FakeServer().start()
    yield server
    server.stop()


@pytest.fixture
def start(fake, tmp_path):
    """Starts an agent whose phases are the stages of a type."""
    made = []

    def start_one(kind, **config):
        path = tmp_path / "device.yaml"
        path.write_text(json.dumps({"device_ip": "10.0.0.9", "agent_name": "agent-1", **config}))
        commands = {f"{phase}_command": as_command(kind, stage, path)
                    for phase, stage in STAGES.items()}
        made.append(Agent(tmp_path, fake.url, **commands).start())
        return made[0]

    yield start_one
    for agent in made:
        assert agent.stop() == 0, agent.process.tail(100)
        agent.process.check_well()


def test_a_job_goes_through_all_stages(fake, start):
    start("fake_connector")
    job = fake.add_job(provision_data={"url": "http://localhost/image"},
                       test_data={"test_cmds": "echo $DEVICE_IP\nmkdir artifacts; echo a >artifacts/a"},
                       reserve_data={"ssh_keys": [], "timeout": 0})
    fake.wait_complete(job)
    assert job.status == dict.fromkeys(("provision", "test", "reserve", "cleanup"), 0)
    assert job.device_info == {"device_ip": "10.0.0.9", "agent_name": "agent-1"}
    assert '{"url":"http://localhost/image"}' in job.log("provision")
    assert job.log("test").endswith("\n10.0.0.9\n")
    assert "TESTFLINGER SYSTEM RESERVED" in job.log("reserve")
    assert job.artifacts


def test_the_reason_of_a_failure_arrives(fake, start):
    start("script", provision_command="echo the socket does not answer >&2; exit 3")
    job = fake.add_job(provision_data={"url": "http://localhost/image"},
                       job_status_webhook="http://localhost/hook")
    fake.wait_complete(job)
    assert job.status["provision"] == 1
    failed = next(event for event in job.events if event["event_name"] == "provision_fail")
    assert failed["detail"] == ("ProvisioningError: the provision command ended with 3 caused by "
                                "the socket does not answer")


def test_46_takes_the_agent_offline(fake, start):
    start("script", provision_command="exit 46")
    job = fake.add_job(provision_data={"url": "http://localhost/image"})
    fake.wait_complete(job)
    assert job.status["provision"] == 46
    assert "offline" in fake.agent_states()


def test_a_reservation_ends_at_once_when_the_job_is_cancelled(fake, start):
    start("fake_connector")
    job = fake.add_job(reserve_data={"timeout": 3600})
    wait_for(lambda: "cancel" in job.log("reserve"))
    fake.cancel(job)
    fake.wait_complete(job)
    assert "The reservation is ended." in job.log("reserve")


def test_a_secret_reaches_the_test_and_is_masked_in_what_comes_back(fake, start):
    start("fake_connector")
    job = fake.add_job(test_data={"test_cmds": 'echo "got ${#TOKEN} $TOKEN"',
                                  "secrets": {"TOKEN": "very-secret-value"}})
    fake.wait_complete(job)
    assert "got 17 **" in job.log("test") and "very-secret-value" not in job.log("test")
