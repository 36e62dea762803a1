# SPDX-License-Identifier: GPL-3.0-or-later
"""GET and POST /v1/agents/queues, GET /v1/queues/{queue}/agents and /v1/queues/{queue}/jobs."""
import re
import urllib.parse

import pytest

from caller import assert_refused, new_name


def test_advertised_queues_add_up(agent, manager, boss, user, anonymous):
    first, second, third = new_name(), new_name(), new_name() + " q.1/$x"
    for caller, queues in [(agent, {first: "one", second: "two"}), (manager, {first: "changed"}),
                           (boss, {third: "odd \u2603"}), (agent, {})]:
        reply = caller.post("/v1/agents/queues", queues)
        assert (reply.status, reply.text) == (200, "OK")
    for caller in (user, anonymous):
        listed = caller.get("/v1/agents/queues").json()
        assert {first: "changed", second: "two", third: "odd \u2603"}.items() <= listed.items()


@pytest.mark.parametrize("bad", [5, None, {"d": 1}, ["x"], "a\0b"])
def test_descriptions_are_strings(agent, user, bad):
    good = new_name()
    assert_refused(agent.post("/v1/agents/queues", {good: "x", new_name(): bad}), 422, {"_schema": True})
    assert good not in user.get("/v1/agents/queues").json()


def test_queue_names_are_neither_empty_nor_too_long(agent):
    for name in ("", "q" * 1001):
        assert_refused(agent.post("/v1/agents/queues", {name: "x"}), 422, {"_schema": True})
    assert_refused(agent.post("/v1/agents/queues", ["a"]), 422, {"_schema": True})
    body = b'{"q": [1, NaN]}'
    assert_refused(agent.post("/v1/agents/queues", body, headers={"Content-Type": "application/json"}),
                   422, {"_schema": True})


def test_who_may_advertise_and_read(agent, user, anonymous):
    for caller in (user, anonymous):
        assert_refused(caller.post("/v1/agents/queues", {}), 403)
    assert_refused(agent.get("/v1/agents/queues"), 403)


def test_the_agents_of_a_queue(agent, user, anonymous, queue):
    assert_refused(user.get(f"/v1/queues/{queue}/agents"), 404)
    agent.post("/v1/agents/queues", {queue: "advertising does not make a queue"})
    assert_refused(user.get(f"/v1/queues/{queue}/agents"), 404)
    first, second = new_name("dut"), new_name("dut")
    agent.post(f"/v1/agents/data/{first}", {"queues": [queue], "state": "waiting", "identifier": "x"})
    agent.post(f"/v1/agents/data/{second}", {"queues": ["q", queue], "location": "lab", "comment": "c"})
    want = [{"name": first, "queues": [queue], "state": "waiting"},
            {"name": second, "queues": ["q", queue], "location": "lab", "comment": "c"}]
    for caller in (user, anonymous):
        got = caller.get(f"/v1/queues/{queue}/agents").json()
        assert sorted(got, key=lambda one: one["name"]) == sorted(want, key=lambda one: one["name"])
    agent.post(f"/v1/agents/data/{first}", {"queues": []})
    assert [one["name"] for one in user.get(f"/v1/queues/{queue}/agents").json()] == [second]
    assert_refused(agent.get(f"/v1/queues/{queue}/agents"), 403)


def test_the_jobs_of_a_queue(user, agent, anonymous, queue):
    reply = user.get(f"/v1/queues/{queue}/jobs")
    assert (reply.status, reply.body) == (204, b"")
    jobs = [user.submit(queue) for _ in range(3)]
    assert agent.claim(queue)["job_id"] == jobs[0]
    user.post(f"/v1/job/{jobs[2]}/action", {"action": "cancel"})
    listed = anonymous.get(f"/v1/queues/{queue}/jobs").json()
    for one in listed:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|\+00:00)",
                            one.pop("created_at"))
    assert listed == [{"job_id": job, "job_state": state, "job_queue": queue}
                      for job, state in zip(jobs, ("running", "waiting", "cancelled"))]
    agent.post(f"/v1/result/{jobs[0]}", {"job_state": "complete"})
    assert [one["job_state"] for one in user.get(f"/v1/queues/{queue}/jobs").json()] == \
        ["complete", "waiting", "cancelled"]
    assert_refused(agent.get(f"/v1/queues/{queue}/jobs"), 403)


@pytest.mark.parametrize("name", ["with blank", "a,b;c", "\u2603", "q" * 1000, "100%", "?x=1#y", "'; --"])
def test_any_name_is_a_queue(user, agent, name):
    quoted = urllib.parse.quote(name, safe="")
    job = user.submit(name)
    assert [one["job_id"] for one in user.get(f"/v1/queues/{quoted}/jobs").json()] == [job]
    assert agent.claim(quoted)["job_id"] == job


def test_names_are_bounded(user):
    for what in ("agents", "jobs"):
        assert_refused(user.get("/v1/queues/" + "q" * 1001 + "/" + what), 422)
