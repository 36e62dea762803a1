# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/agents/data, GET and POST /v1/agents/data/{name}."""
import re
import urllib.parse

import pytest

from caller import assert_refused, new_name


def report(caller, name, **fields):
    reply = caller.post("/v1/agents/data/" + urllib.parse.quote(name, safe=""), fields)
    assert (reply.status, reply.json()) == (200, {"status": "OK"}), reply
    return reply


def record(caller, name):
    reply = caller.get("/v1/agents/data/" + urllib.parse.quote(name, safe=""))
    assert reply.status == 200, reply
    answer = reply.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|\+00:00)",
                        answer.pop("updated_at"))
    return answer


def test_reports_are_merged(agent, anonymous):
    name = new_name("dut")
    report(agent, name, state="waiting", queues=["q1", "q2"], location="\u00d6st", comment="",
           provision_type="maas", identifier="hw1", job_id="anything")
    want = {"name": name, "state": "waiting", "queues": ["q1", "q2"], "location": "\u00d6st",
            "comment": "", "provision_type": "maas", "identifier": "hw1", "job_id": "anything",
            "restricted_to": {}}
    assert record(anonymous, name) == want
    report(agent, name)
    report(agent, name, state="sleeping", queues=["q1"])
    assert record(agent, name) == {**want, "state": "sleeping", "queues": ["q1"]}


def test_what_was_never_reported_does_not_show(agent, user):
    name = new_name("dut")
    report(agent, name, log=["a", "b"])
    assert record(user, name) == {"name": name, "restricted_to": {}}


@pytest.mark.parametrize("who, status", [("boss", 200), ("manager", 200), ("agent", 200),
                                         ("user", 403), ("anonymous", 403)])
def test_who_may_report(request, who, status):
    caller = request.getfixturevalue(who)
    assert caller.post(f"/v1/agents/data/{new_name('dut')}", {"state": "offline"}).status == status


def test_the_list_has_all(agent, user):
    names = {new_name("dut") for _ in range(3)}
    for name in names:
        report(agent, name, state="waiting")
    listed = user.get("/v1/agents/data").json()
    assert names <= {one["name"] for one in listed}
    assert all(set(one) <= {"name", "state", "queues", "location", "provision_type", "job_id",
                            "comment", "identifier", "updated_at", "provision_streak_type",
                            "provision_streak_count", "restricted_to"} for one in listed)
    assert_refused(agent.get("/v1/agents/data"), 403)


def test_an_unknown_agent_is_an_empty_object(user, agent):
    for caller in (user, agent):
        reply = caller.get(f"/v1/agents/data/{new_name('dut')}")
        assert (reply.status, reply.json()) == (404, {})


@pytest.mark.parametrize("name, cookie", [
    ("dut-1", "dut-1"),
    ("_!#$%&'()*+-.:<=>?@^|{}~[]`", "_!#$%&'()*+-.:<=>?@^|{}~[]`"),
    ("a b", '"a b"'),
    ('say "x"\\', '"say \\"x\\"\\\\"'),
    ("a,b;c", '"a\\054b\\073c"'),
    ("d\u00fct\u2603", '"d\\303\\274t\\342\\230\\203"'),
    ("\u00fc" * 500, '"' + "\\303\\274" * 500 + '"'),
])
def test_the_cookie_names_the_agent_and_comes_back(agent, user, queue, name, cookie):
    reply = report(agent, name, queues=[queue])
    assert reply.headers["Set-Cookie"] == f"agent_name={cookie}; HttpOnly; Path=/; SameSite=Strict"
    other = new_name("dut")
    report(agent, other, queues=[queue])
    job = user.submit(queue, exclude_agents=[name])
    assert agent.named(cookie).claim(queue) is None
    assert agent.named(other).claim(queue)["job_id"] == job


def test_names_are_bounded(agent, user):
    assert_refused(agent.post("/v1/agents/data/" + "n" * 1001, {}), 422)
    assert_refused(user.get("/v1/agents/data/" + "n" * 1001), 422)
    report(agent, "n" * 1000)


@pytest.mark.parametrize("body, complaints", [
    ({"state": 1}, {"state": True}), ({"comment": None}, {"comment": True}),
    ({"queues": "q"}, {"queues": True}), ({"queues": ["q", 1]}, {"queues": {"1": True}}),
    ({"queues": ["q" * 1001]}, {"queues": {"0": True}}), ({"log": [None]}, {"log": {"0": True}}),
    ({"location": "a\0"}, {"location": True}), ({"colour": "red"}, {"colour": True}),
    ([], {"_schema": True}),
])
def test_malformed_reports(agent, body, complaints):
    assert_refused(agent.post("/v1/agents/data/dut", body), 422, complaints)
