# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/restricted-queues; GET, POST and DELETE /v1/restricted-queues/{queue}; what they mean for jobs."""
import urllib.parse

import pytest

from caller import Caller, assert_refused, new_name

SECRET = "a-client-secret-of-the-tests"


def path_of(queue):
    return "/v1/restricted-queues/" + urllib.parse.quote(queue, safe="")


@pytest.fixture
def served(agent, queue):
    """A queue that an agent serves, and the agent."""
    dut = new_name("dut")
    agent.post(f"/v1/agents/data/{dut}", {"queues": [queue]})
    return queue, dut


@pytest.fixture
def owner(server):
    return server.add_client(new_name("owner"), "contributor", SECRET)[0]


def add(caller, queue, client):
    reply = caller.post(path_of(queue), {"client_id": client})
    assert (reply.status, reply.text) == (200, "OK"), reply


def remove(caller, queue, client):
    reply = caller.delete(path_of(queue), body={"client_id": client})
    assert (reply.status, reply.text) == (200, "OK"), reply


def owners(caller, queue):
    answer = caller.get(path_of(queue)).json()
    assert answer.keys() == {"queue", "owners"} and answer["queue"] == queue
    return answer["owners"]


def test_owners_come_and_go(boss, manager, user, anonymous, server, served, owner):
    queue, dut = served
    second = server.add_client(new_name("a"), "contributor", SECRET)[0]
    assert_refused(user.get(path_of(queue)), 404)
    add(boss, queue, owner)
    add(manager, queue, second)
    add(manager, queue, owner)
    assert owners(anonymous, queue) == [owner, second]
    assert {"queue": queue, "owners": [owner, second]} in user.get("/v1/restricted-queues").json()
    assert user.get(f"/v1/agents/data/{dut}").json()["restricted_to"] == {queue: [owner, second]}
    assert boss.get(f"/v1/client-permissions/{owner}").json()["allowed_queues"] == [queue]
    remove(manager, queue, owner)
    assert owners(user, queue) == [second]
    assert boss.get(f"/v1/client-permissions/{owner}").json()["allowed_queues"] == []
    assert_refused(boss.delete(path_of(queue), body={"client_id": owner}), 404)
    remove(boss, queue, second)
    assert_refused(user.get(path_of(queue)), 404)
    assert_refused(boss.delete(path_of(queue), body={"client_id": second}), 404)


def test_only_owners_submit(boss, anonymous, user, server, served, owner):
    queue, _ = served
    before = Caller(server, server.token(owner, SECRET))
    job = anonymous.submit(queue)
    add(boss, queue, owner)
    assert_refused(anonymous.post("/v1/job", {"job_queue": queue}), 401)
    for caller in (user, boss, before):  # rights come from the token alone
        assert_refused(caller.post("/v1/job", {"job_queue": queue}), 403)
    after = Caller(server, server.token(owner, SECRET))
    assert after.submit(queue)
    remove(boss, queue, owner)
    assert anonymous.submit(queue) and after.submit(queue)
    assert anonymous.get(f"/v1/job/{job}").status == 200


def test_a_deleted_owner_lifts_nothing(boss, anonymous, server, served, owner):
    queue, dut = served
    token = Caller(server, server.token(owner, SECRET))
    add(boss, queue, owner)
    boss.delete(f"/v1/client-permissions/{owner}")
    assert owners(anonymous, queue) == []
    assert anonymous.get(f"/v1/agents/data/{dut}").json()["restricted_to"] == {}
    assert_refused(anonymous.post("/v1/job", {"job_queue": queue}), 401)
    assert_refused(token.post("/v1/job", {"job_queue": queue}), 403)
    assert_refused(boss.delete(path_of(queue), body={"client_id": owner}), 404)


def test_what_must_exist(boss, agent, queue, owner, served):
    assert_refused(boss.post(path_of(queue + "x"), {"client_id": owner}), 404)
    agent.post("/v1/agents/queues", {queue + "x": "advertised"})
    assert_refused(boss.post(path_of(queue + "x"), {"client_id": owner}), 404)
    assert_refused(boss.post(path_of(queue), {"client_id": new_name("nobody")}), 404)
    assert_refused(boss.post(path_of(queue + "x"), {"client_id": ""}), 400)
    assert_refused(boss.delete(path_of(queue), body={"client_id": ""}), 404)
    add(boss, queue, owner)
    assert_refused(boss.delete(path_of(queue), body={"client_id": ""}), 400)
    assert_refused(boss.delete(path_of(queue), body={"client_id": new_name("nobody")}), 404)
    assert owners(boss, queue) == [owner]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("body, complaints", [
    ({}, {"client_id": True}), ({"client_id": None}, {"client_id": True}), ({"client_id": 5}, {"client_id": True}),
    ({"client_id": "a\0"}, {"client_id": True}), ({"client_id": "c" * 1001}, {"client_id": True}),
    ({"client_id": "x", "y": 1}, {"y": True}), ([], {"_schema": True}), (None, {"client_id": True}),
])
def test_malformed_owners(boss, queue, method, body, complaints):
    assert_refused(boss.request(method, path_of(queue), body), 422, complaints)


def test_any_name_is_a_queue(boss, agent, owner):
    name = new_name() + " ,;\u2603'%x"
    agent.post(f"/v1/agents/data/{new_name('dut')}", {"queues": [name]})
    add(boss, name, owner)
    assert owners(boss, name) == [owner]
    assert_refused(boss.get(path_of("q" * 1001)), 422)


@pytest.mark.parametrize("who, reads", [("anonymous", True), ("user", True), ("agent", False)])
def test_who_may(request, who, reads, queue):
    caller = request.getfixturevalue(who)
    for reply in (caller.post(path_of(queue), {}), caller.delete(path_of(queue), body={})):
        assert_refused(reply, 403)
    assert caller.get("/v1/restricted-queues").status == (200 if reads else 403)
    assert caller.get(path_of(queue)).status == (404 if reads else 403)
