# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /v1/job, GET /v1/job/{id}, its position and its action."""
import json
import uuid

import pytest

from caller import assert_refused, new_name
from conftest import of_role


def stored(caller, job):
    reply = caller.get(f"/v1/job/{job}")
    assert reply.status == 200, reply
    return reply.json()


def test_the_smallest_job_reads_back_with_its_id(user, queue):
    job = user.submit(queue)
    assert str(uuid.UUID(job)) == job
    assert stored(user, job) == {"job_queue": queue, "exclude_agents": [], "job_id": job}
    assert user.state_of(job) == "waiting"


@pytest.mark.parametrize("who", ["user", "manager", "boss", "anonymous"])
def test_who_may_submit(request, queue, who):
    caller = request.getfixturevalue(who)
    assert stored(caller, caller.submit(queue))["job_queue"] == queue


def test_an_agent_may_not_submit(agent, queue):
    assert_refused(agent.post("/v1/job", {"job_queue": queue}), 403)


def test_every_field_survives_the_round_trip(user, agent, queue):
    fields = {
        "parent_job_id": str(uuid.uuid4()), "name": "a name \u2603", "tags": ["t1", "t2"],
        "global_timeout": 600, "output_timeout": 60, "allocation_timeout": 30,
        "provision_data": {"distro": "noble"}, "firmware_update_data": {"version": "latest"},
        "test_data": {"test_cmds": "echo one\necho two", "test_username": "u"},
        "allocate_data": {"allocate": True}, "reserve_data": {"ssh_keys": ["lp:me"], "timeout": 120},
        "job_status_webhook": "http://example.test/hook", "job_priority": 0, "exclude_agents": [],
        "debug": True,
    }
    job = user.submit(queue, **fields)
    want = {"job_queue": queue, "job_id": job, **fields}
    assert stored(user, job) == want
    claimed = agent.claim(queue)
    assert claimed.pop("started_at")
    assert claimed == want
    assert stored(user, job) == want


def test_values_are_stored_as_what_they_mean(user, queue):
    job = user.submit(queue, global_timeout="3600", debug="yes", output_timeout=1.9,
                      reserve_data={"timeout": "5h 30m"})
    definition = stored(user, job)
    assert definition["global_timeout"] == 3600
    assert definition["debug"] is True
    assert definition["output_timeout"] == 1
    assert definition["reserve_data"] == {"timeout": 19800}


def test_free_form_sections_keep_order_and_numbers(user, queue):
    section = '{"z": 1.10, "a": [1e400, -0, null, "\\u0000\\ud83d\\ude00"], "m": {"y": 1, "b": 2}}'
    body = f'{{"job_queue": "{queue}", "allocate_data": {section}}}'.encode()
    reply = user.post("/v1/job", body, headers={"Content-Type": "application/json"})
    assert reply.status == 200, reply
    text = user.get("/v1/job/" + reply.json()["job_id"]).text
    assert '{"z":1.10,"a":[1e400,-0,null,"\\u0000\U0001f600"],"m":{"y":1,"b":2}}' in text


@pytest.mark.parametrize("fields, complaints", [
    ({"job_queue": ""}, {"job_queue": True}),
    ({"job_queue": None}, {"job_queue": True}),
    ({"job_queue": 5}, {"job_queue": True}),
    ({"job_queue": "q" * 1001}, {"job_queue": True}),
    ({"colour": "red", "size": 1}, {"colour": True, "size": True}),
    ({"tags": [1, "x", None]}, {"tags": {"0": True, "2": True}}),
    ({"global_timeout": "soon"}, {"global_timeout": True}),
    ({"global_timeout": 1 << 63}, {"global_timeout": True}),
    ({"allocation_timeout": "1.5"}, {"allocation_timeout": True}),
    ({"job_priority": True}, {"job_priority": True}),
    ({"debug": "perhaps"}, {"debug": True}),
    ({"name": "a\0b"}, {"name": True}),
    ({"test_data": []}, {"test_data": {"_schema": True}}),
    ({"test_data": {"nope": 1}}, {"test_data": {"nope": True}}),
    ({"test_data": {"attachments": [{"agent": "a"}, {"agent": 1}, "x"]}},
     {"test_data": {"attachments": {"1": {"agent": True}, "2": {"_schema": True}}}}),
    ({"test_data": {"secrets": {"bad key": "p", "B": 5}}},
     {"test_data": {"secrets": {"bad key": {"key": True}, "B": {"value": True}}}}),
    ({"firmware_update_data": "x"}, {"firmware_update_data": True}),
    ({"allocate_data": {"deep": [1, {"n": 1 << 64}]}},
     {"allocate_data": {"deep": {"1": {"n": True}}}}),
    ({"reserve_data": {"ssh_keys": ["lp:ok", "me"]}}, {"reserve_data": {"ssh_keys": {"1": True}}}),
    ({"reserve_data": {"timeout": -1}}, {"reserve_data": {"timeout": True}}),
    ({"provision_data": {"colour": 1}}, {"provision_data": {"_schema": True}}),
    ({"provision_data": "skip"}, {"provision_data": {"_schema": True}}),
])
def test_what_is_wrong_is_said_field_by_field(user, fields, complaints):
    assert_refused(user.post("/v1/job", {"job_queue": "q", **fields}), 422, complaints)


def test_several_complaints_come_at_once(user):
    assert_refused(user.post("/v1/job", {"tags": 1, "zzz": 0, "test_data": {"test_cmds": 1}}), 422,
                   {"job_queue": True, "tags": True, "zzz": True, "test_data": {"test_cmds": True}})


@pytest.mark.parametrize("body, status", [
    (b"", 422), (b"[]", 422), (b"null", 422), (b'"x"', 422), (b"{", 400), (b"{'job_queue': 'q'}", 400),
    (b'{"job_queue": "q",}', 400), (b'{"job_queue": "q"}{}', 400), (b'{"job_queue": "\xe9"}', 400),
    (b'\xef\xbb\xbf{"job_queue": "q"}', 400), (b'{"job_queue": "\\ud800"}', 422),
    (b'{"job_queue": "q", "global_timeout": NaN}', 422), (b'{"job_queue": "q\\u0000"}', 422),
    (b'{"job_queue": "q", "x\\u0000": 1}', 422), (b'{"a":' * 101 + b"1" + b"}" * 101, 400),
    (b'{"job_queue": "a", "job_queue": "q"}', 200),
])
def test_bodies(user, body, status):
    reply = user.post("/v1/job", body, headers={"Content-Type": "Application/JSON; charset=utf-8"})
    assert reply.status == status, reply


def test_a_body_of_another_type_is_refused(user, queue):
    body = json.dumps({"job_queue": queue}).encode()
    for kind in ("text/plain", "text/json", "application/x-www-form-urlencoded"):
        assert_refused(user.post("/v1/job", body, headers={"Content-Type": kind}), 415)
    reply = user.post("/v1/job", body, headers={"Content-Type": "application/vnd.x+json"})
    assert reply.status == 200


def test_a_huge_body_is_refused(user):
    assert_refused(user.post("/v1/job", {"job_queue": "q", "name": "x" * (17 << 20)}), 413)


def test_a_given_id_names_one_job(user, queue):
    given = str(uuid.uuid4())
    assert user.submit(queue, job_id=given) == given
    assert user.submit(queue, job_id=given.upper()) == given
    assert user.submit(queue, job_id="urn:uuid:" + given) == given
    reply = user.post("/v1/job", {"job_queue": queue, "job_id": given, "name": "another"})
    assert_refused(reply, 409)
    assert [job["job_id"] for job in user.get(f"/v1/queues/{queue}/jobs").json()] == [given]


def test_the_same_definition_may_be_spelled_otherwise(user, queue):
    given = str(uuid.uuid4())
    for text in (f'{{"job_queue": "{queue}", "job_id": "{given}", "allocate_data": {{"a": 1, "b": 2.50}}}}',
                 f'{{"allocate_data": {{"b": 2.5, "a": 1.0}}, "job_id": "{given}", "job_queue": "{queue}"}}'):
        reply = user.post("/v1/job", text.encode(), headers={"Content-Type": "application/json"})
        assert reply.status == 200, reply


def test_another_caller_cannot_take_an_id_over(user, anonymous, queue):
    given = user.submit(queue, job_id=str(uuid.uuid4()))
    assert_refused(anonymous.post("/v1/job", {"job_queue": queue, "job_id": given}), 409)


def test_every_spelling_of_an_id_finds_the_job(user, queue):
    job = user.submit(queue)
    for spelling in (job.upper(), job.replace("-", ""), "{" + job + "}", "urn:uuid:" + job):
        assert stored(user, spelling.replace("{", "%7B").replace("}", "%7D"))["job_id"] == job


@pytest.mark.parametrize("job_id, status", [("", 200), ("abc", 400), (str(uuid.UUID(int=1)) + "0", 400),
                                            (None, 422), (7, 422)])
def test_given_ids(user, queue, job_id, status):
    assert user.post("/v1/job", {"job_queue": queue, "job_id": job_id}).status == status


def test_priority_needs_permission(server, user, anonymous, queue):
    star = of_role(server, "contributor", max_priority={"*": 10})
    named = of_role(server, "contributor", max_priority={"*": 2, queue: 20})

    def ask(caller, priority):
        return caller.post("/v1/job", {"job_queue": queue, "job_priority": priority}).status

    assert [ask(anonymous, n) for n in (0, 1, -1)] == [200, 401, 401]
    assert [ask(user, n) for n in (0, 1, -1)] == [200, 403, 200]
    assert [ask(star, n) for n in (10, 11)] == [200, 403]
    assert [ask(named, n) for n in (20, 21)] == [200, 403]


def test_a_long_reservation_needs_permission(server, user, anonymous, queue):
    long = of_role(server, "contributor", max_reservation_time={"*": 86400})

    def ask(caller, timeout):
        return caller.post("/v1/job", {"job_queue": queue, "reserve_data": {"timeout": timeout}}).status

    assert [ask(anonymous, t) for t in (21600, 21601, None)] == [200, 401, 200]
    assert [ask(user, t) for t in (21600, "6h1s")] == [200, 403]
    assert [ask(long, t) for t in ("1d", 86401)] == [200, 403]


def test_being_admin_gives_no_priority(boss, manager, queue):
    for caller in (boss, manager):
        assert_refused(caller.post("/v1/job", {"job_queue": queue, "job_priority": 1}), 403)


def test_an_agent_must_remain_when_some_are_excluded(user, agent, queue):
    first, second = new_name("dut"), new_name("dut")
    assert_refused(user.post("/v1/job", {"job_queue": queue, "exclude_agents": [first]}), 422)
    for name in (first, second):
        assert agent.post(f"/v1/agents/data/{name}", {"queues": [queue]}).status == 200
    user.submit(queue, exclude_agents=[first])
    assert_refused(user.post("/v1/job", {"job_queue": queue, "exclude_agents": [first, second]}), 422)


def test_the_order_of_checks(anonymous, queue):
    body = {"job_queue": queue, "exclude_agents": ["x"], "job_id": "abc", "job_priority": 5,
            "reserve_data": {"timeout": 99999}}
    assert_refused(anonymous.post("/v1/job", body), 422)
    del body["exclude_agents"]
    assert_refused(anonymous.post("/v1/job", body), 400)
    del body["job_id"]
    assert_refused(anonymous.post("/v1/job", body), 401)


def test_secrets_need_a_store(user, queue):
    assert_refused(user.post("/v1/job", {"job_queue": queue, "test_data": {"secrets": {}}}), 422)


def test_an_unknown_job_has_no_definition(user):
    reply = user.get(f"/v1/job/{uuid.uuid4()}")
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize("path", ["", "/position", "/attachments"])
def test_a_malformed_id_is_a_bad_request(user, agent, path):
    caller = agent if path == "/attachments" else user
    assert_refused(caller.get("/v1/job/abc" + path), 400)


def test_positions_count_those_ahead(server, user, queue):
    urgent = of_role(server, "contributor", max_priority={"*": 9})
    first, second = user.submit(queue), user.submit(queue)
    assert user.get(f"/v1/job/{first}/position").text == "0"
    assert user.get(f"/v1/job/{second}/position").text == "1"
    third = urgent.submit(queue, job_priority=9)
    assert [user.get(f"/v1/job/{job}/position").text for job in (third, first, second)] == \
        ["0", "1", "2"]


def test_a_job_that_does_not_wait_has_no_position(user, agent, queue):
    job = user.submit(queue)
    assert agent.claim(queue)["job_id"] == job
    assert_refused(user.get(f"/v1/job/{job}/position"), 410)
    assert_refused(user.get(f"/v1/job/{uuid.uuid4()}/position"), 410)


def test_a_waiting_job_can_be_cancelled_once(user, agent, queue):
    job = user.submit(queue)
    reply = user.post(f"/v1/job/{job}/action", {"action": "cancel"})
    assert (reply.status, reply.text) == (200, "OK")
    assert user.state_of(job) == "cancelled"
    assert agent.claim(queue) is None
    assert_refused(user.post(f"/v1/job/{job}/action", {"action": "cancel"}), 400)


def test_a_running_job_can_be_cancelled_by_anybody(user, anonymous, agent, queue):
    job = user.submit(queue)
    agent.claim(queue)
    assert anonymous.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
    assert agent.state_of(job) == "cancelled"
    assert agent.post(f"/v1/result/{job}", {"job_state": "complete"}).status == 200
    assert user.state_of(job) == "cancelled"


def test_a_complete_or_unknown_job_cannot_be_cancelled(user, agent, queue):
    job = user.submit(queue)
    agent.claim(queue)
    agent.post(f"/v1/result/{job}", {"job_state": "complete"})
    for some in (job, str(uuid.uuid4()), "abc"):
        assert_refused(user.post(f"/v1/job/{some}/action", {"action": "cancel"}), 400)


@pytest.mark.parametrize("body, complaints", [
    ({}, {"action": True}), ({"action": "stop"}, {"action": True}), ({"action": 1}, {"action": True}),
    ({"action": "cancel", "why": "x"}, {"why": True}),
])
def test_other_actions_are_refused(user, body, complaints):
    assert_refused(user.post(f"/v1/job/{uuid.uuid4()}/action", body), 422, complaints)


def test_a_body_of_too_many_values_is_refused(anonymous):
    body = b'{"job_queue": "q", "allocate_data": {"x": [' + b"{}," * 1_000_000 + b"0]}}"
    assert_refused(anonymous.post("/v1/job", body, headers={"Content-Type": "application/json"}), 413)
