# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/job/{id}/timeline: the story of a job."""
import datetime
import uuid

import pytest

from caller import assert_refused


@pytest.fixture
def job(user, queue):
    return user.submit(queue)


def story(caller, job, query=""):
    reply = caller.get(f"/v1/job/{job}/timeline{query}")
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"] == "application/json"
    return reply.json()


def words(entries):
    """What is special to each entry."""
    return [tuple(entry[key] for key in ("what", "attempt", "who", "why", "phase", "exit_code", "outcome")
                  if entry[key] is not None) for entry in entries]


def work(agent, job):
    agent.post(f"/v1/result/{job}", {"job_state": "setup"})
    agent.post(f"/v1/result/{job}", {"job_state": "test", "status": {"setup": 0}})
    agent.post(f"/v1/result/{job}", {"job_state": "complete", "status": {"setup": 0, "test": 3}})


def test_a_job_s_whole_life(user, agent, queue, job):
    told = story(user, job)
    assert [entry["what"] for entry in told] == ["submitted", "waiting"]
    assert told[1]["why"] == "no_agent"
    assert agent.claim(queue)["job_id"] == job
    work(agent, job)
    told = story(user, job)
    name = agent.agent
    assert words(told)[1:] == [
        ("claimed", 1, name), ("phase_started", 1, name, "setup"), ("phase_ended", 1, name, "setup", 0),
        ("phase_started", 1, name, "test"), ("phase_ended", 1, name, "test", 3), ("ended", 1, name, "failed")]
    assert told[0]["who"].startswith("contributor")
    times = [datetime.datetime.fromisoformat(entry["at"]) for entry in told]
    assert times == sorted(times)
    assert len({entry["id"] for entry in told}) == len(told)


def test_who_cancelled_it(user, anonymous, job):
    assert user.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
    last = story(anonymous, job)[-1]
    assert (last["what"], last["who"], last["outcome"]) == ("cancelled", story(user, job)[0]["who"], "cancelled")
    job = anonymous.submit("q")
    anonymous.post(f"/v1/job/{job}/action", {"action": "cancel"})
    assert words(story(anonymous, job)) == [("submitted", 0), ("cancelled", 0, "cancelled")]


def test_why_it_waits(user, agent, queue):
    def why(job):
        told = story(user, job)[-1]
        assert told["what"] == "waiting"
        assert user.get(f"/v1/job/{job}/status").json()["waiting_because"] == told["why"]
        return told["why"]

    job = user.submit(queue, test_data={"attachments": [{"agent": "a"}]})
    assert why(job) == "attachments"
    user.upload(f"/v1/job/{job}/attachments", b"x")
    assert why(job) == "no_agent"
    for state, reason in (("offline", "offline"), ("provision", "busy"), ("waiting", "turn")):
        agent.post(f"/v1/agents/data/{agent.agent}", {"queues": [queue], "state": state})
        assert why(job) == reason
    assert agent.claim(queue)["job_id"] == job
    assert user.get(f"/v1/job/{job}/status").json()["waiting_because"] is None


def test_it_comes_in_pages(user, agent, queue, job):
    agent.claim(queue)
    work(agent, job)
    whole = story(user, job)
    for limit in (1, 3, len(whole)):
        pages = list(user.pages(f"/v1/job/{job}/timeline?limit={limit}"))
        assert [entry for page in pages for entry in page] == whole
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_it_is_for_everybody(boss, manager, user, anonymous, agent, job):
    for caller in (boss, manager, user, anonymous, agent):
        assert story(caller, job)[0]["what"] == "submitted"


def test_unknown_and_malformed(user, job):
    assert user.get(f"/v1/job/{uuid.uuid4()}/timeline").status == 204
    assert_refused(user.get("/v1/job/abc/timeline"), 400)
    for query in ("limit=0", "limit=x", "limit=1001", "cursor=x", "cursor=61", "cursor=" + "1.2".encode().hex(),
                  "cursor=" + ("1." * 200 + "1").encode().hex()):
        assert_refused(user.get(f"/v1/job/{job}/timeline?{query}"), 422)
