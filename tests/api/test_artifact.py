# SPDX-License-Identifier: GPL-3.0-or-later
"""POST and GET /v1/result/{id}/artifact."""
import os
import uuid

import pytest

from caller import assert_refused

ARCHIVE = bytes.fromhex("1f8b08000000000000037374040055 9b979c01000000".replace(" ", ""))


@pytest.fixture
def job(user, agent, queue):
    made = user.submit(queue)
    agent.claim(queue)
    return made


def upload(agent, job, data):
    reply = agent.upload(f"/v1/result/{job}/artifact", data)
    assert (reply.status, reply.text) == (200, "OK"), reply


def test_there_is_none_at_first(user, job):
    reply = user.get(f"/v1/result/{job}/artifact")
    assert (reply.status, reply.body) == (204, b"")


def test_it_comes_back_as_it_went_in(agent, user, anonymous, job):
    upload(agent, job, ARCHIVE)
    for caller in (user, anonymous):
        reply = caller.get(f"/v1/result/{job}/artifact")
        assert (reply.status, reply.body) == (200, ARCHIVE)
        assert reply.headers["Content-Type"] == "application/x-tar"
        assert reply.headers["Content-Disposition"] == "inline; filename=artifact.tar.gz"
        assert reply.headers["Content-Encoding"] == "gzip"


def test_a_later_one_takes_its_place(agent, user, job):
    for data in (b"first", b"\0second\xff", b""):
        upload(agent, job, data)
        reply = user.get(f"/v1/result/{job}/artifact")
        assert (reply.status, reply.body) == (200, data)


@pytest.mark.parametrize("size", [1, 262143, 262144, 262145, 524288, 5_000_000])
def test_sizes_around_the_pieces(agent, user, job, size):
    data = os.urandom(size)
    upload(agent, job, data)
    reply = user.get(f"/v1/result/{job}/artifact")
    assert reply.body == data
    assert reply.headers["Content-Length"] == str(size)


def test_asking_with_head_tells_the_size(agent, user, job):
    upload(agent, job, b"x" * 300_000)
    reply = user.request("HEAD", f"/v1/result/{job}/artifact")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["Content-Length"] == "300000"
    assert reply.headers["Content-Encoding"] == "gzip"


def test_unknown_jobs_may_have_one(agent, user):
    job = uuid.uuid4()
    upload(agent, job, ARCHIVE)
    assert user.get(f"/v1/result/{job}/artifact").body == ARCHIVE


def test_what_is_no_upload_is_refused(agent, job):
    path = f"/v1/result/{job}/artifact"
    assert_refused(agent.post(path), 400)
    assert_refused(agent.post(path, b"xx", headers={"Content-Type": "application/gzip"}), 400)
    assert_refused(agent.upload(path, b"x", name="archive"), 400)
    assert agent.server.get(path).status == 204


def test_an_upload_cut_short_leaves_nothing(agent, user, job):
    head = b'--m\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    reply = agent.post(f"/v1/result/{job}/artifact", head + b"x" * 600_000,
                       headers={"Content-Type": "multipart/form-data; boundary=m"})
    assert reply.status == 400, reply
    assert user.get(f"/v1/result/{job}/artifact").status == 204


def test_a_malformed_id_is_a_bad_request(agent, user):
    assert_refused(agent.upload("/v1/result/abc/artifact", b"x"), 400)
    assert_refused(user.get("/v1/result/abc/artifact"), 400)


def test_who_may_do_what(agent, user, job):
    assert_refused(user.upload(f"/v1/result/{job}/artifact", b"x"), 403)
    assert_refused(agent.get(f"/v1/result/{job}/artifact"), 403)
