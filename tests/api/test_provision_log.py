# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /v1/agents/provision_logs/{name} and the streaks in the agent's record."""
import pytest

from caller import assert_refused, new_name


@pytest.fixture
def dut(agent):
    name = new_name("dut")
    agent.post(f"/v1/agents/data/{name}", {"state": "provision"})
    return name


def streak_of(user, dut):
    record = user.get(f"/v1/agents/data/{dut}").json()
    return record.get("provision_streak_type"), record.get("provision_streak_count")


def post(agent, dut, exit_code, **more):
    reply = agent.post(f"/v1/agents/provision_logs/{dut}", {"job_id": "any", "exit_code": exit_code, **more})
    assert (reply.status, reply.text) == (200, "OK")


def test_equal_outcomes_are_counted(agent, user, dut):
    assert streak_of(user, dut) == (None, None)
    seen = []
    for code in (0, "0", 1, -7, 46, 0):
        post(agent, dut, code, detail="d")
        seen.append(streak_of(user, dut))
    assert seen == [("pass", 1), ("pass", 2), ("fail", 1), ("fail", 2), ("fail", 3), ("pass", 1)]
    record = next(one for one in user.get("/v1/agents/data").json() if one["name"] == dut)
    assert (record["provision_streak_type"], record["provision_streak_count"]) == ("pass", 1)
    assert record["state"] == "provision"


def test_the_last_hundred_are_kept(agent, user, dut, server):
    for number in range(103):
        post(agent, dut, number)
    rows = server.cluster.psql(f"SELECT min(exit_code), count(*) FROM tf.provision_log WHERE agent = '{dut}'",
                               server.database)
    assert rows == "3|100"
    assert streak_of(user, dut) == ("fail", 102)


def test_an_unknown_agent_has_no_logs(agent):
    assert_refused(agent.post("/v1/agents/provision_logs/" + new_name("dut"), {"job_id": "j", "exit_code": 0}), 404)


@pytest.mark.parametrize("body, complaints", [
    ({}, {"job_id": True, "exit_code": True}),
    ({"job_id": 5, "exit_code": 0}, {"job_id": True}),
    ({"job_id": "j\0", "exit_code": 0}, {"job_id": True}),
    ({"job_id": "j", "exit_code": "x"}, {"exit_code": True}),
    ({"job_id": "j", "exit_code": 2**63}, {"exit_code": True}),
    ({"job_id": "j", "exit_code": True}, {"exit_code": True}),
    ({"job_id": "j", "exit_code": 0, "detail": None}, {"detail": True}),
    ({"job_id": "j", "exit_code": 0, "timestamp": "now"}, {"timestamp": True}),
    ([], {"_schema": True}),
])
def test_malformed_logs(agent, user, dut, body, complaints):
    assert_refused(agent.post(f"/v1/agents/provision_logs/{dut}", body), 422, complaints)
    assert streak_of(user, dut) == (None, None)


@pytest.mark.parametrize("who", ["anonymous", "user", "manager", "boss"])
def test_only_agents_may(request, who, dut):
    caller = request.getfixturevalue(who)
    assert_refused(caller.post(f"/v1/agents/provision_logs/{dut}", {}), 403)
