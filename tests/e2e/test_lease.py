# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases between the real server and the real agent, seen in the database."""
import pytest

from conftest import Agent
from wait import wait_for

LEASE_S = 30  # the shortest one: it is renewed every 10 s


class Lab:
    """One agent with a queue of its own, whose phases wait at gates."""

    def __init__(self, server, directory, name):
        self.server, self.name, self.dir = server, name, directory
        self.agent = Agent(server, directory, name, job_queues=[name], lease_s=LEASE_S,
                           cancel_interval=3600, kill_grace=1,
                           setup_command=self.gated("setup"), test_command=self.gated("test"),
                           cleanup_command="echo cleaned")

    def gated(self, phase):
        return f"echo in {phase}; until [ -e {self.dir}/{phase} ]; do sleep 0.1; done"

    def open(self, phase):
        (self.dir / phase).touch()

    def submit(self):
        reply = self.server.post("/v1/job", {"job_queue": self.name, "test_data": {"test_cmds": "x"}})
        return reply.json()["job_id"]

    def result(self, job):
        return self.server.get(f"/v1/result/{job}").json()

    def wait_for_state(self, job, state):
        wait_for(lambda: self.result(job)["job_state"] == state, what=f"the job is {state}")

    def sql(self, text):
        return self.server.cluster.psql(text, self.server.database)

    def lease(self, what, job):
        return self.sql(f"SELECT {what} FROM tf.lease WHERE job_id = '{job}'")

    def attempts(self, what, job):
        return self.sql(f"SELECT {what} FROM tf.attempt WHERE job_id = '{job}' AND attempt > 0 "
                        "ORDER BY attempt").splitlines()


@pytest.fixture
def lab(server, tmp_path, request):
    made = Lab(server, tmp_path, request.node.name.replace("_", "-"))
    made.agent.start()
    yield made
    made.agent.stop()


def test_renewals(lab):
    job = lab.submit()
    lab.open("setup")
    lab.wait_for_state(job, "test")
    assert lab.lease("agent, lease_s, confirmed IS NOT NULL", job) == f"{lab.name}|{LEASE_S}|t"
    # far from due for other requests, but not as fresh as a renewal leaves it
    lab.sql(f"UPDATE tf.lease SET lease_until = now() + interval '25 s' WHERE job_id = '{job}'")
    wait_for(lambda: lab.lease("lease_until > now() + interval '26 s'", job) == "t",
             what="a renewal")
    assert lab.server.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
    wait_for(lambda: lab.result(job).get("cleanup_status") == 0, what="the agent hears of the cancel")
    assert lab.result(job)["test_status"] == 143
    assert "cancellation was requested" in lab.result(job)["test_output"]
    assert lab.attempts("attempt", job) == ["1"]


def test_an_agent_that_is_killed_comes_back_under_another_id(lab):
    job = lab.submit()
    lab.open("setup")
    lab.wait_for_state(job, "test")
    lab.agent.process.kill()
    lab.open("test")
    lab.agent.start()
    lab.wait_for_state(job, "complete")
    assert lab.result(job)["test_status"] == 137 and lab.result(job)["cleanup_status"] == 0
    after = lab.submit()
    lab.wait_for_state(after, "complete")
    assert lab.result(after)["test_status"] == 0
    boots = lab.attempts("boot", job) + lab.attempts("boot", after)
    assert len(set(boots)) == 2 and all(boots)
    assert not list((lab.agent.dir / "results").glob("[0-9a-f]*")), "nothing waits to be sent"


def test_a_job_taken_away_is_dropped_and_may_come_back(lab):
    job = lab.submit()
    lab.wait_for_state(job, "setup")
    lab.sql(f"UPDATE tf.lease SET lease_until = now() - interval '1 s' WHERE job_id = '{job}'; "
            "SELECT * FROM tfx.reap_leases(100)")
    wait_for(lambda: "another agent has the job" in lab.agent.process.output())
    lab.open("setup")
    lab.open("test")
    lab.wait_for_state(job, "complete")
    assert lab.attempts("reason", job) == ["agent_lost", "complete"]
    assert len(set(lab.attempts("token", job))) == 2
    result = lab.result(job)
    assert (result["setup_status"], result["test_status"], result["cleanup_status"]) == (0, 0, 0)
    assert result["cleanup_output"].count("cleaned") == 1, "that of the first attempt went nowhere"


def test_work_and_cancels_reach_an_agent_that_waits_without_being_asked_for(lab):
    """Neither a poll nor a look at the job would come in the time of this test."""
    lab.agent.stop()
    lab.agent.options.update(polling_interval=3600, lease_s=3600)
    lab.agent.start()
    wait_for(lambda: lab.server.get(f"/v1/agents/data/{lab.name}", auth=lab.server.token()).json()
             .get("state") == "waiting")
    lab.open("setup")
    for _ in range(2):
        job = lab.submit()
        lab.wait_for_state(job, "test")
        assert lab.server.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
        wait_for(lambda: lab.result(job).get("cleanup_status") == 0, what="the agent hears of the cancel")
        assert lab.result(job)["test_status"] == 143
