# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/job/{id}/status, and what is answered to those who have it already."""
import datetime
import uuid

import pytest

from caller import assert_refused

WHEN = {"timestamp": "2024-05-01T10:00:00Z"}


@pytest.fixture
def job(user, queue):
    return user.submit(queue)


def status(caller, job):
    reply = caller.get(f"/v1/job/{job}/status")
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"] == "application/json"
    return reply.json()


def again(caller, path, tag):
    """The status, and the tag, when asked with this tag."""
    reply = caller.get(path, headers={"If-None-Match": tag})
    if reply.status == 304:
        assert reply.body == b""
        assert "Content-Type" not in reply.headers
    return reply.status, reply.headers["ETag"]


def test_a_job_s_whole_life(user, agent, anonymous, queue, job):
    seen = status(user, job)
    created = datetime.datetime.fromisoformat(seen.pop("created_at"))
    assert abs(datetime.datetime.now(datetime.timezone.utc) - created) < datetime.timedelta(hours=1)
    version = seen.pop("version")
    assert seen == {"job_id": job, "job_queue": queue, "job_state": "waiting", "outcome": None,
                    "phase": None, "exit_codes": {}, "agent": None, "attempt": 0,
                    "waits_for": "agent", "waiting_because": "no_agent",
                    "started_at": None, "finished_at": None, "position": 0, "estimated_wait": None}
    agent.claim(queue)
    agent.post(f"/v1/result/{job}", {"job_state": "test", "status": {"setup": 0}})
    seen = status(anonymous, job)
    assert seen["version"] != version
    assert (seen["job_state"], seen["phase"], seen["agent"]) == ("test", "test", agent.agent)
    assert (seen["exit_codes"], seen["attempt"], seen["position"]) == ({"setup": 0}, 1, None)
    agent.post(f"/v1/result/{job}", {"job_state": "complete", "status": {"setup": 0, "test": 3}})
    seen = status(agent, job)
    assert (seen["job_state"], seen["outcome"], seen["phase"]) == ("complete", "failed", None)
    assert seen["started_at"] < seen["finished_at"]


def test_a_held_job_waits_for_its_attachments(user, queue):
    job = user.submit(queue, test_data={"attachments": [{"agent": "a"}]})
    assert status(user, job)["waits_for"] == "attachments"
    user.upload(f"/v1/job/{job}/attachments", b"x")
    assert status(user, job)["waits_for"] == "agent"


def test_how_long_a_job_may_wait_is_told_beside_its_position(user, agent, queue, job):
    assert agent.post(f"/v1/agents/data/{agent.agent}", {"queues": [queue], "state": "waiting"}).status == 200
    assert status(user, job)["estimated_wait"] is None, "nothing was ever claimed there"
    assert agent.claim(queue)["job_id"] == job
    waits = [status(user, user.submit(queue)) for _ in range(2)]
    assert [one["position"] for one in waits] == [0, 1]
    assert 0 <= waits[0]["estimated_wait"] <= waits[1]["estimated_wait"] < 60
    assert status(user, job)["estimated_wait"] is None, "it runs"
    assert user.get(f"/v1/job/{waits[1]['job_id']}/position").text == "1", "where nothing else is said"


def test_it_is_for_everybody(boss, manager, user, anonymous, agent, job):
    for caller in (boss, manager, user, anonymous, agent):
        assert status(caller, job)["job_id"] == job


def test_unknown_and_malformed_ids(user):
    assert user.get(f"/v1/job/{uuid.uuid4()}/status").status == 204
    assert_refused(user.get("/v1/job/abc/status"), 400)


def test_logs_are_no_part_of_it(user, agent, queue, job):
    agent.claim(queue)
    path = f"/v1/job/{job}/status"
    tag = user.get(path).headers["ETag"]
    agent.post(f"/v1/result/{job}/log/output",
               {"fragment_number": 0, "phase": "test", "log_data": "x", **WHEN})
    assert again(user, path, tag) == (304, tag)


def test_the_position_changes_the_tag_and_not_the_version(user, agent, queue):
    first, second = user.submit(queue), user.submit(queue)
    path = f"/v1/job/{second}/status"
    before = user.get(path)
    tag = before.headers["ETag"]
    assert again(user, path, tag) == (304, tag)
    assert agent.claim(queue)["job_id"] == first
    code, newer = again(user, path, tag)
    assert code == 200 and newer != tag
    assert status(user, second)["version"] == before.json()["version"]


def test_whoever_polls_a_result_is_told_when_it_is_the_same(user, agent, queue, job):
    path = f"/v1/result/{job}"
    agent.claim(queue)
    tag = user.get(path).headers["ETag"]
    assert tag.startswith('W/"')
    assert again(user, path, tag) == (304, tag)
    changes = [
        lambda: agent.post(path, {"job_state": "setup"}),
        lambda: agent.post(path, {"status": {"setup": 0}}),
        lambda: agent.post(path, {"device_info": {"x": 1}}),
        lambda: agent.post(path + "/log/output", {"fragment_number": 3, "phase": "setup",
                                                  "log_data": "late", **WHEN}),
        lambda: agent.post(path + "/log/serial", {"fragment_number": 3, "phase": "setup",
                                                  "log_data": "late", **WHEN}),
        lambda: agent.post(path + "/log/output", {"fragment_number": 1, "phase": "setup",
                                                  "log_data": "early", **WHEN}),
        lambda: agent.post(path, {"job_state": "complete"}),
        lambda: agent.post(path, {"status": {"setup": 1}}),
    ]
    for change in changes:
        assert change().status == 200
        code, newer = again(user, path, tag)
        assert code == 200 and newer != tag
        tag = newer
        assert again(user, path, tag) == (304, tag)


def test_the_tag_of_a_cancelled_job(user, job):
    path = f"/v1/result/{job}"
    tag = user.get(path).headers["ETag"]
    user.post(f"/v1/job/{job}/action", {"action": "cancel"})
    code, newer = again(user, path, tag)
    assert code == 200 and newer != tag


@pytest.mark.parametrize("path", ["/v1/result/{}", "/v1/job/{}/status"])
def test_every_way_to_name_a_tag(user, job, path):
    path = path.format(job)
    tag = user.get(path).headers["ETag"]
    bare = tag.split('"')[1]
    for text in (tag, f'"{bare}"', f'W/"{bare}"', f'"x", "{bare}"', f'"{bare}-gzip"', "*"):
        assert again(user, path, text) == (304, tag)
    for text in ("", '""', '"x"', "x" * 5000, "\xff\xfe", '"' + bare[1:] + '"', "%", "'"):
        assert again(user, path, text)[0] == 200


def test_a_head_request_tells_the_tag(user, job):
    for path in (f"/v1/result/{job}", f"/v1/job/{job}/status"):
        tag = user.get(path).headers["ETag"]
        reply = user.request("HEAD", path)
        assert (reply.status, reply.headers["ETag"], reply.body) == (200, tag, b"")
        reply = user.request("HEAD", path, headers={"If-None-Match": tag})
        assert (reply.status, reply.body) == (304, b"")


def test_polling_keeps_the_agent_s_lease(agent, cluster, database, queue, job):
    agent.claim(queue)
    for path in (f"/v1/job/{job}/status", f"/v1/result/{job}"):
        tag = agent.get(path).headers["ETag"]
        cluster.psql(f"UPDATE tf.lease SET lease_until = now() + interval '9 s' WHERE job_id = '{job}'",
                     database)
        assert again(agent, path, tag)[0] == 304
        assert cluster.psql("SELECT lease_until > now() + interval '1 min' FROM tf.lease "
                            f"WHERE job_id = '{job}'", database) == "t"
