# SPDX-License-Identifier: GPL-3.0-or-later
"""POST and GET /v1/result/{id}."""
import concurrent.futures
import uuid

import pytest

from caller import assert_refused


@pytest.fixture
def running(user, agent, queue):
    job = user.submit(queue)
    assert agent.claim(queue)["job_id"] == job
    return job


def result(caller, job):
    reply = caller.get(f"/v1/result/{job}")
    assert reply.status == 200, reply
    return reply.json()


def test_many_at_once_have_an_end_each_of_their_own(server, agent, user, queue):
    """Made together: what is wrong with one does not matter to the others."""
    def counted(what):
        return server.metric(f'testflinger_{what}_total{{lane="result"}}')

    def send(job, body, who, token):
        return who.post(f"/v1/result/{job}", body, headers={"Testflinger-Lease": token} if token else {})

    jobs = {}
    for name in ('"{}"', '"a\\"b\\\\,c"', '"NULL"', "plain", "again"):
        job = user.submit(queue)
        jobs[job] = agent.named(name)
        assert jobs[job].claim(queue)["job_id"] == job
    info = {"a": "\0 \u20ac {\"\\", "b": [None, "NULL"]}
    posts = [(200, job, {"status": {"setup": 0, "test": 3}, "device_info": info}, who, None)
             for job, who in jobs.items() for _ in range(6)]
    posts += [(409, job, {"status": {"setup": 9}}, who, str(uuid.uuid4())) for job, who in jobs.items()]
    posts += [(200, str(uuid.uuid4()), {"job_state": "setup"}, agent, None), (400, "abc", {}, agent, None),
              (422, job, {"status": 5}, agent, None), (200, job, {"device_info": {**info, "c": "-" * 100_000}}, jobs[job], None)]
    batches, requests = counted("batches"), counted("batched_requests")
    with concurrent.futures.ThreadPoolExecutor(len(posts)) as pool:
        replies = list(pool.map(lambda one: send(*one[1:]), posts))
    for (status, *what), reply in zip(posts, replies):
        assert reply.status == status, (what, reply)
    assert counted("batched_requests") - requests == len(posts) - 1, "not the large one"
    assert counted("batches") - batches < len(posts) - 1
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        assert {reply.status for reply in pool.map(
            lambda one: send(one[0], {"job_state": "complete"}, one[1], None), jobs.items())} == {200}
    for one in jobs:
        result = user.get(f"/v1/result/{one}").json()
        result["device_info"].pop("c", None)
        assert result == {"job_state": "complete", "device_info": info, "setup_status": 0, "test_status": 3}


def test_each_key_replaces_the_one_before(agent, anonymous, running):
    def post(**body):
        reply = agent.post(f"/v1/result/{running}", body)
        assert (reply.status, reply.text) == (200, "OK")

    post(job_state="setup")
    assert result(anonymous, running) == {"job_state": "setup"}
    post(status={"setup": 0})
    post(device_info={"ip": "10.1.1.1", "nested": {"a": [1, None, True, 1.5]}})
    assert result(anonymous, running) == {
        "job_state": "setup", "setup_status": 0,
        "device_info": {"ip": "10.1.1.1", "nested": {"a": [1, None, True, 1.5]}}}
    post(status={"test": 46, "cleanup": -1}, device_info={"x": 1})
    assert result(anonymous, running) == {"job_state": "setup", "test_status": 46,
                                          "cleanup_status": -1, "device_info": {"x": 1}}
    post()
    assert result(anonymous, running)["test_status"] == 46
    post(status={})
    assert result(anonymous, running) == {"job_state": "setup", "device_info": {"x": 1}}


def test_numbers_are_coerced(agent, user, running):
    assert agent.post(f"/v1/result/{running}", {"status": {"test": "7", "setup": 1.9}}).status == 200
    assert result(user, running) == {"job_state": "running", "test_status": 7, "setup_status": 1}


def test_device_info_is_kept_as_it_came(agent, user, running):
    text = '{"device_info": {"z": 1.10, "a": "\\u0000\\u2028\U0001f600", "n": 1e400}}'
    reply = agent.post(f"/v1/result/{running}", text.encode(),
                       headers={"Content-Type": "application/json"})
    assert reply.status == 200
    assert '{"z":1.10,"a":"\\u0000\u2028\U0001f600","n":1e400}' in user.get(f"/v1/result/{running}").text


def test_a_final_state_is_final(agent, user, queue, running):
    agent.post(f"/v1/result/{running}", {"job_state": "complete", "status": {"test": 0}})
    for state in ("test", "waiting", "cancelled"):
        assert agent.post(f"/v1/result/{running}", {"job_state": state}).status == 200
    assert result(user, running) == {"job_state": "complete", "test_status": 0}
    assert agent.claim(queue) is None


def test_any_state_shows_while_the_job_is_open(agent, user, running):
    agent.post(f"/v1/result/{running}", {"job_state": "dancing \u2603 \"x\""})
    assert result(user, running) == {"job_state": "dancing \u2603 \"x\""}


def test_an_unknown_job_is_accepted_silently(agent, user):
    job = uuid.uuid4()
    assert agent.post(f"/v1/result/{job}", {"job_state": "test"}).status == 200
    reply = user.get(f"/v1/result/{job}")
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize("body, complaints", [
    ({"test_output": "x"}, {"test_output": True}),
    ({"status": {"dance": 0}}, {"status": {"dance": {"key": True}}}),
    ({"status": {"dance": "x", "test": 0}}, {"status": {"dance": {"key": True, "value": True}}}),
    ({"status": {"test": None}}, {"status": {"test": {"value": True}}}),
    ({"status": [0]}, {"status": True}),
    ({"device_info": "x"}, {"device_info": True}),
    ({"device_info": {"n": 1 << 63}}, {"device_info": {"n": True}}),
    ({"job_state": 1}, {"job_state": True}),
    ({"job_state": None}, {"job_state": True}),
    ([], {"_schema": True}),
])
def test_malformed_results(agent, body, complaints):
    # a bad body wins over a malformed id
    assert_refused(agent.post("/v1/result/abc", body), 422, complaints)


def test_a_malformed_id_is_a_bad_request(agent, user):
    assert_refused(agent.post("/v1/result/abc", {}), 400)
    assert_refused(user.get("/v1/result/abc"), 400)


@pytest.mark.parametrize("who", ["user", "manager", "boss", "anonymous"])
def test_only_agents_post_results(request, who):
    caller = request.getfixturevalue(who)
    assert_refused(caller.post(f"/v1/result/{uuid.uuid4()}", {"x": 1}), 403)


def test_sixteen_megabytes_are_too_many(agent, user, running):
    head, tail = b'{"device_info": {"x": "', b'"}}'

    def post(size):
        body = head + b"x" * (size - len(head) - len(tail)) + tail
        return agent.post(f"/v1/result/{running}", body, headers={"Content-Type": "application/json"})

    assert_refused(post(16 << 20), 413)
    assert post((16 << 20) - 1).status == 200
    assert len(result(user, running)["device_info"]["x"]) == (16 << 20) - 1 - len(head) - len(tail)


def test_logs_are_part_of_the_result(agent, user, running):
    for number, phase, kind, text in [(0, "setup", "output", "a\n"), (1, "setup", "output", "b\0\n"),
                                      (2, "test", "serial", "\U0001f600"), (3, "test", "output", "")]:
        agent.post(f"/v1/result/{running}/log/{kind}", {
            "fragment_number": number, "timestamp": "2024-05-01T10:00:00Z", "phase": phase,
            "log_data": text})
    assert result(user, running) == {"job_state": "running", "setup_output": "a\nb\0\n",
                                     "test_serial": "\U0001f600", "test_output": ""}


@pytest.mark.parametrize("token", ["abc", "", str(uuid.UUID(int=1)), "\xff\xfe", "x" * 5000])
def test_a_token_that_is_not_the_lease_s_is_stale(agent, running, token):
    headers = {"Testflinger-Lease": token}
    fragment = {"fragment_number": 0, "timestamp": "2024-05-01T10:00:00Z", "phase": "test",
                "log_data": "x"}
    assert_refused(agent.post(f"/v1/result/{running}", {"status": {"test": 0}}, headers=headers), 409)
    assert_refused(agent.post(f"/v1/result/{running}/log/output", fragment, headers=headers), 409)
    assert_refused(agent.upload(f"/v1/result/{running}/artifact", b"x", headers=headers), 409)


def test_the_lease_s_own_token_is_taken(user, agent, queue):
    user.submit(queue)
    claimed = agent.get(f"/v1/job?queue={queue}&lease=60").json()
    reply = agent.post(f"/v1/result/{claimed['job_id']}", {"job_state": "setup"},
                       headers={"Testflinger-Lease": claimed["lease"]["token"]})
    assert reply.status == 200, reply
