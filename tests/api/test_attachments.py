# SPDX-License-Identifier: GPL-3.0-or-later
"""POST and GET /v1/job/{id}/attachments."""
import uuid

import pytest

from caller import assert_refused


@pytest.fixture
def held(user, queue):
    return user.submit(queue, test_data={"attachments": [{"agent": "a.txt", "device": "b"}]})


def test_the_job_waits_for_its_attachments(user, agent, queue, held):
    path = f"/v1/job/{held}/attachments"
    assert user.get(f"/v1/job/{held}/position").text == "0"
    assert agent.claim(queue) is None
    assert agent.get(path).status == 204
    reply = user.upload(path, b"the bundle")
    assert (reply.status, reply.text) == (200, "OK")
    reply = agent.get(path)
    assert (reply.status, reply.body) == (200, b"the bundle")
    assert reply.headers["Content-Type"] == "application/gzip"
    claimed = agent.claim(queue)
    assert claimed["job_id"] == held
    assert claimed["attachments_status"] == "complete"
    assert agent.get(path).body == b"the bundle"


def test_it_keeps_its_place_meanwhile(user, agent, queue, held):
    later = user.submit(queue)
    user.upload(f"/v1/job/{held}/attachments", b"x")
    assert [agent.claim(queue)["job_id"] for _ in range(2)] == [held, later]


def test_a_second_upload_is_dropped(user, agent, held):
    path = f"/v1/job/{held}/attachments"
    for data in (b"first", b"second" * 100_000):
        assert user.upload(path, data).status == 200
    assert agent.get(path).body == b"first"


@pytest.mark.parametrize("section", [
    {"firmware_update_data": {"attachments": None}}, {"allocate_data": {"attachments": []}},
    {"provision_data": {"use_attachment": "i", "attachments": [{"agent": "i"}]}},
    {"test_data": {"attachments": []}},
])
def test_any_section_may_ask_for_them(user, agent, queue, section):
    job = user.submit(queue, **section)
    assert agent.claim(queue) is None
    assert user.upload(f"/v1/job/{job}/attachments", b"x").status == 200
    assert agent.claim(queue)["job_id"] == job


def test_jobs_that_do_not_await_them(user, agent, queue, held):
    plain = user.submit(queue)
    for job in (plain, str(uuid.uuid4())):
        assert_refused(user.upload(f"/v1/job/{job}/attachments", b"x"), 422)
    user.upload(f"/v1/job/{held}/attachments", b"x")
    while agent.claim(queue):
        pass
    assert_refused(user.upload(f"/v1/job/{held}/attachments", b"x"), 422)


def test_a_cancelled_job_takes_none(user, held):
    user.post(f"/v1/job/{held}/action", {"action": "cancel"})
    assert_refused(user.upload(f"/v1/job/{held}/attachments", b"x"), 422)


def test_what_is_no_upload_is_refused(user, agent, queue, held):
    path = f"/v1/job/{held}/attachments"
    assert_refused(user.post(path), 400)
    assert_refused(user.upload(path, b"x", name="archive"), 400)
    assert agent.claim(queue) is None


def test_a_malformed_id_is_a_bad_request(user, agent):
    assert_refused(user.upload("/v1/job/abc/attachments", b"x"), 400)
    assert_refused(agent.get("/v1/job/abc/attachments"), 400)
    assert agent.get(f"/v1/job/{uuid.uuid4()}/attachments").status == 204


def test_who_may_do_what(user, agent, anonymous, held):
    path = f"/v1/job/{held}/attachments"
    assert_refused(agent.upload(path, b"x"), 403)
    assert_refused(user.get(path), 403)
    assert anonymous.upload(path, b"x").status == 200
