# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/job: the claim."""
import re

import pytest

from caller import assert_refused, new_name
from conftest import of_role


def test_a_job_is_handed_out_once(user, agent, queue):
    job = user.submit(queue, test_data={"test_cmds": "true"})
    claimed = agent.claim(queue)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|\+00:00)",
                        claimed.pop("started_at"))
    assert claimed == {"job_queue": queue, "test_data": {"test_cmds": "true"}, "exclude_agents": [],
                       "job_id": job}
    assert agent.claim(queue) is None
    assert user.state_of(job) == "running"
    assert "started_at" not in user.get(f"/v1/job/{job}").json()


def test_what_a_claim_needs(agent, queue):
    assert_refused(agent.get("/v1/job"), 400)
    assert_refused(agent.named(None).get("/v1/job"), 400)
    assert_refused(agent.named(None).get(f"/v1/job?queue={queue}"), 401)
    assert agent.get("/v1/job?queue=").status == 204
    assert_refused(agent.get("/v1/job?queue=" + "q" * 1001), 422)


@pytest.mark.parametrize("who", ["user", "manager", "boss", "anonymous"])
def test_only_agents_claim(request, who):
    caller = request.getfixturevalue(who).named("dut")
    assert_refused(caller.get("/v1/job?queue=q"), 403)


def test_asking_with_head_takes_nothing(user, agent, queue):
    job = user.submit(queue)
    reply = agent.request("HEAD", f"/v1/job?queue={queue}")
    assert (reply.status, reply.body) == (204, b"")
    assert agent.claim(queue)["job_id"] == job


def test_order_is_priority_then_age_over_all_queues(server, agent, queue):
    caller = of_role(server, "contributor", max_priority={"*": 10})
    other = new_name("queue")
    jobs = {name: caller.submit(where, job_priority=priority, name=name)
            for name, where, priority in [("a", queue, 0), ("b", queue, 5), ("c", other, 0),
                                          ("d", queue, 10), ("e", other, 5), ("f", queue, -3)]}
    order = [agent.claim(other, queue) for _ in jobs]
    assert [job["name"] for job in order] == ["d", "b", "e", "a", "c", "f"]
    assert [job["job_id"] for job in order] == [jobs[job["name"]] for job in order]
    assert agent.claim(other, queue) is None


def test_an_excluded_agent_gets_the_next_job(user, agent, queue):
    here, there = new_name("dut"), new_name("dut")
    for name in (here, there):
        agent.post(f"/v1/agents/data/{name}", {"queues": [queue]})
    first = user.submit(queue, exclude_agents=[here])
    second = user.submit(queue)
    assert agent.named(here).claim(queue)["job_id"] == second
    assert agent.named(here).claim(queue) is None
    assert agent.named(there).claim(queue)["job_id"] == first


def test_queues_joined_by_a_comma_are_one_name(user, agent, queue):
    user.submit(queue)
    assert agent.claim(queue + ",x") is None
    assert agent.claim("none", queue, "none-either")


def test_the_name_comes_from_the_cookie_among_others(user, agent, queue):
    user.submit(queue)
    reply = agent.get(f"/v1/job?queue={queue}&x=y",
                      headers={"Cookie": 'a=b; agent_name="d\\054u t"; z=1'})
    assert reply.status == 200


def test_a_lease_is_granted_on_request(user, agent, queue):
    job = user.submit(queue)
    for seconds in ("29", "3601", "x", ""):
        assert_refused(agent.get(f"/v1/job?queue={queue}&lease={seconds}"), 400)
    claimed = agent.get(f"/v1/job?queue={queue}&lease=60&boot=b1").json()
    assert claimed["job_id"] == job
    assert claimed["lease"]["seconds"] == 60
    assert claimed["lease"]["token"]
