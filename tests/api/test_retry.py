# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job may want to happen when an attempt fails: retry and max_wait in POST /v1/job, and the
outcomes that come of it."""
import pytest

from caller import assert_refused
from server import Server
from wait import wait_for


@pytest.fixture(scope="module")
def server(cluster, database, receiver, tmp_path_factory):
    made = Server(cluster, database, tmp_path_factory.mktemp("retry"), bcrypt_cost=4, reap_period_ms=50,
                  webhook_base_url=receiver.url + "/").start()
    yield made
    assert made.stop() == 0, made.process.tail()


def submit(user, queue, **fields):
    reply = user.post("/v1/job", {"job_queue": queue, **fields})
    assert reply.status == 200, reply
    return reply.json()["job_id"]


def status(user, job):
    return user.get(f"/v1/job/{job}/status").json()


@pytest.fixture(name="other")
def other_agent(agent, queue):
    """Another one that serves the queue: an agent without leases does not get a job twice."""
    other = agent.named("other-agent")
    assert other.post("/v1/agents/data/other-agent", {"queues": [queue]}).status == 200
    return other


def finish(agent, job, **fields):
    reply = agent.post(f"/v1/result/{job}", {"job_state": "complete", **fields})
    assert reply.status == 200, reply


def test_the_policy_is_shown_as_it_was_given(user, queue):
    policy = {"max": 2, "on": ["provision"], "backoff": 5}
    shown = user.get(f"/v1/job/{submit(user, queue, retry=policy, max_wait=60)}").json()
    assert shown["retry"] == policy and shown["max_wait"] == 60
    plain = user.get(f"/v1/job/{submit(user, queue)}").json()
    assert "retry" not in plain and "max_wait" not in plain


def test_a_policy_without_sense_is_refused(user, queue):
    reply = user.post("/v1/job", {"job_queue": queue, "retry": {"max": 11, "on": ["luck"]}})
    assert_refused(reply, 422, {"retry": {"max": True, "on": {"0": True}}})


def test_a_job_whose_provisioning_failed_waits_again(user, agent, other, queue):
    job = submit(user, queue, retry={"max": 1, "on": ["provision"]})
    assert agent.claim(queue)["job_id"] == job
    finish(agent, job, status={"provision": 1})
    assert status(user, job)["job_state"] == "waiting"
    assert user.get(f"/v1/job/{job}/position").text == "0"
    assert other.claim(queue)["job_id"] == job
    finish(other, job, status={"provision": 0, "test": 0})
    ended = status(user, job)
    assert (ended["job_state"], ended["outcome"], ended["attempt"]) == ("complete", "passed", 2)
    assert user.get(f"/v1/result/{job}?attempt=1").json()["provision_status"] == 1


def test_another_attempt_may_have_to_wait(user, agent, other, queue):
    job = submit(user, queue, retry={"max": 1, "on": ["failed"], "backoff": 1})
    assert agent.claim(queue)["job_id"] == job
    finish(agent, job, status={"test": 1})
    assert status(user, job)["job_state"] == "waiting"
    wait_for(lambda: status(user, job)["waits_for"] == "agent", what="it waits for an agent")
    assert other.claim(queue)["job_id"] == job


def test_a_job_that_waited_for_too_long_has_expired(user, queue):
    job = submit(user, queue, max_wait=1)
    wait_for(lambda: status(user, job)["outcome"] == "expired", what="the job expires")
    assert status(user, job)["job_state"] == "complete"


def test_an_agent_may_say_that_a_phase_timed_out(user, agent, receiver, queue):
    job = submit(user, queue)
    assert agent.claim(queue)["job_id"] == job
    finish(agent, job, status={"test": 143}, stopped="output_timeout")
    assert status(user, job)["outcome"] == "timed_out"
    assert_refused(agent.post(f"/v1/result/{job}", {"stopped": "boredom"}), 422, {"stopped": True})


def test_its_events_say_so_too(user, agent, receiver, queue):
    job = submit(user, queue, job_status_webhook=receiver.url + "/200/x")
    assert agent.claim(queue)["job_id"] == job
    events = [{"event_name": name, "timestamp": "now"}
              for name in ("provision_start", "global_timeout", "provision_fail")]
    assert agent.post(f"/v1/job/{job}/events", {"job_status_webhook": receiver.url + "/200/x",
                                                "events": events}).status == 200
    finish(agent, job, status={"provision": 143})
    assert status(user, job)["outcome"] == "timed_out"


def test_children_of_a_cancelled_job_are_cancelled(user, agent, queue):
    parent = submit(user, queue)
    children = [submit(user, queue + "-child", parent_job_id=parent) for _ in range(3)]
    assert agent.claim(queue)["job_id"] == parent
    assert agent.claim(queue + "-child")["job_id"] == children[0]
    assert user.post(f"/v1/job/{parent}/action", {"action": "cancel"}).status == 200
    wait_for(lambda: {status(user, child)["job_state"] for child in children} == {"cancelled"},
             what="all children are cancelled")
