# SPDX-License-Identifier: GPL-3.0-or-later
"""?attempt=N: what earlier attempts of a job left behind."""
import pytest

from caller import assert_refused
from wait import wait_for

WHEN = {"timestamp": "2024-05-01T10:00:00Z"}
PATHS = ["/v1/result/{}", "/v1/result/{}/log/output", "/v1/result/{}/artifact"]


def log(agent, job, number, text):
    reply = agent.post(f"/v1/result/{job}/log/output",
                       {"fragment_number": number, "phase": "setup", "log_data": text, **WHEN})
    assert reply.status == 200, reply


def work(agent, job, text):
    log(agent, job, 0, text)
    log(agent, job, 1, "+")
    assert agent.post(f"/v1/result/{job}", {"job_state": "setup", "status": {"setup": len(text)},
                                            "device_info": {"of": text}}).status == 200
    assert agent.upload(f"/v1/result/{job}/artifact", text.encode()).status == 200


@pytest.fixture(scope="module")
def tried(user, agent, cluster, database):
    """A job whose first agent fell silent and whose second one is at work."""
    job = user.submit("tried-twice")
    first, second = agent.named("first"), agent.named("second")
    # an agent without leases that was lost does not get the job again: somebody else must be there
    assert second.post("/v1/agents/data/second", {"queues": ["tried-twice"]}).status == 200
    assert first.claim("tried-twice")["job_id"] == job
    work(first, job, "one")
    cluster.psql(f"UPDATE tf.lease SET lease_until = now() WHERE job_id = '{job}';"
                 " SELECT tfx.reap_leases(10)", database)
    # the server's own reaper may have been at it just then
    assert wait_for(lambda: second.claim("tried-twice"))["job_id"] == job
    work(second, job, "second")
    return job


def output(user, job, query=""):
    return user.get(f"/v1/result/{job}/log/output{query}").json()["output"]["setup"]


def test_results_of_each_attempt(user, tried):
    newest = user.get(f"/v1/result/{tried}").json()
    assert newest == {"job_state": "setup", "setup_status": 6, "setup_output": "second+",
                      "device_info": {"of": "second"}}
    assert user.get(f"/v1/result/{tried}?attempt=2").json() == newest
    assert user.get(f"/v1/result/{tried}?attempt=1").json() == {
        "job_state": "setup", "setup_status": 3, "setup_output": "one+", "device_info": {"of": "one"}}


def test_logs_of_each_attempt_and_their_numbers(user, tried):
    assert output(user, tried) == {"last_fragment_number": 3, "log_data": "second+"}
    assert output(user, tried, "?attempt=2&start_fragment=3") == {"last_fragment_number": 3, "log_data": "+"}
    assert output(user, tried, "?attempt=1") == {"last_fragment_number": 1, "log_data": "one+"}
    assert output(user, tried, "?attempt=1&start_fragment=2") == {"last_fragment_number": -1, "log_data": ""}


def test_artifacts_of_each_attempt(user, tried):
    path = f"/v1/result/{tried}/artifact"
    newest, first = user.get(path), user.get(path + "?attempt=1")
    assert (newest.body, first.body) == (b"second", b"one")
    assert user.get(path + "?attempt=2").headers["ETag"] == newest.headers["ETag"] != first.headers["ETag"]
    assert user.request("HEAD", path + "?attempt=1").headers["Content-Length"] == "3"


def test_an_attempt_there_never_was(user, tried):
    for number in (0, 3, 2147483647):
        assert user.get(f"/v1/result/{tried}?attempt={number}").status == 204
        assert user.get(f"/v1/result/{tried}/artifact?attempt={number}").status == 204
        assert output(user, tried, f"?attempt={number}") == {"last_fragment_number": -1, "log_data": ""}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("number", ["-1", "", "x", "1.0", "2147483648", "1e3", "%00"])
def test_a_bad_number(user, tried, path, number):
    assert_refused(user.get(path.format(tried) + f"?attempt={number}"), 400)


def test_each_attempt_has_a_tag_of_its_own(user, agent, tried):
    tags = {}
    for number in (1, 2):
        path = f"/v1/result/{tried}?attempt={number}"
        tags[number] = user.get(path).headers["ETag"]
        assert user.get(path, headers={"If-None-Match": tags[number]}).status == 304
    assert tags[1] != tags[2] == user.get(f"/v1/result/{tried}").headers["ETag"]
    log(agent.named("first"), tried, 2, "late")
    reply = user.get(f"/v1/result/{tried}?attempt=1", headers={"If-None-Match": tags[1]})
    assert (reply.status, reply.json()["setup_output"]) == (200, "one+late")
    assert user.get(f"/v1/result/{tried}", headers={"If-None-Match": tags[2]}).status == 304


def test_what_came_before_the_first_claim(user, agent, queue):
    job = user.submit(queue)
    log(agent, job, 0, "early")
    assert output(user, job, "?attempt=0")["log_data"] == "early"
    agent.claim(queue)
    assert output(user, job)["log_data"] == ""
    assert output(user, job, "?attempt=0")["log_data"] == "early"
    assert user.get(f"/v1/result/{job}?attempt=0").json()["setup_output"] == "early"
