# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts and versions of GET /v1/result/{id}/artifact and /v1/job/{id}/attachments; the limit of
uploads; uploads whose client goes away."""
import hashlib
import os
import socket

import pytest

from caller import Caller, assert_refused
from server import Server
from wait import wait_for

SIZE = 3 * 262144 + 1000
LIMIT = 2_000_000


@pytest.fixture(scope="module")
def server(cluster, database, tmp_path_factory):
    made = Server(cluster, database, tmp_path_factory.mktemp("server"), bcrypt_cost=4,
                  upload_max_bytes=LIMIT).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(scope="module")
def data():
    return os.urandom(SIZE)


def artifact_of(user, agent, queue, data):
    path = f"/v1/result/{user.submit(queue)}/artifact"
    assert agent.upload(path, data).status == 200
    return user, path


def attachments_of(user, agent, queue, data):
    job = user.submit(queue, test_data={"attachments": []})
    path = f"/v1/job/{job}/attachments"
    assert user.upload(path, data).status == 200
    return agent, path


@pytest.fixture(params=[artifact_of, attachments_of])
def stored(request, user, agent, queue, data):
    """(who may read it, where it is)"""
    return request.param(user, agent, queue, data)


def tag_of(data):
    return f'"{hashlib.sha256(data).hexdigest()}"'


def part(caller, path, text, **headers):
    return caller.get(path, headers={"Range": text, **headers})


def test_the_tag_is_the_hash_of_the_bytes(stored, data):
    caller, path = stored
    reply = caller.get(path)
    assert (reply.status, reply.body) == (200, data)
    assert reply.headers["ETag"] == tag_of(data)
    assert reply.headers["Accept-Ranges"] == "bytes"
    reply = caller.get(path, headers={"If-None-Match": tag_of(data)})
    assert (reply.status, reply.body, reply.headers["ETag"]) == (304, b"", tag_of(data))
    assert caller.get(path, headers={"If-None-Match": tag_of(b"other")}).status == 200


def test_head_tells_all_but_the_bytes(stored, data):
    caller, path = stored
    whole = caller.get(path)
    for headers in ({}, {"Range": "bytes=0-5"}):
        reply = caller.request("HEAD", path, headers=headers)
        assert (reply.status, reply.body) == (200, b"")
        for name in ("Content-Length", "Content-Type", "Content-Encoding", "Content-Disposition",
                     "ETag", "Accept-Ranges"):
            assert reply.headers[name] == whole.headers[name], name
    assert caller.request("HEAD", path, headers={"If-None-Match": tag_of(data)}).status == 304


@pytest.mark.parametrize("first, last", [
    (0, 0), (0, 9), (262143, 262144), (262144, 524287), (1, 262143), (100, 786431), (786432, SIZE - 1),
    (SIZE - 1, SIZE - 1), (0, SIZE - 1)])
def test_a_range_is_those_bytes(stored, data, first, last):
    caller, path = stored
    reply = part(caller, path, f"bytes={first}-{last}")
    assert (reply.status, reply.body) == (206, data[first:last + 1])
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert reply.headers["Content-Length"] == str(last + 1 - first)
    assert reply.headers["ETag"] == tag_of(data)


def test_open_ranges(stored, data):
    caller, path = stored
    assert part(caller, path, "bytes=700000-").body == data[700000:]
    assert part(caller, path, "bytes=-300000").body == data[-300000:]
    assert part(caller, path, f"bytes=5-{SIZE + 5}").body == data[5:]
    reply = part(caller, path, "bytes=-99999999")
    assert (reply.status, reply.body) == (206, data)


@pytest.mark.parametrize("text", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_bytes_that_are_not_there(stored, text):
    caller, path = stored
    reply = part(caller, path, text)
    assert_refused(reply, 416)
    assert reply.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("text", ["", "bytes=", "bytes=5-1", "bytes=0-1,5-6", "lines=0-5", "x" * 5000])
def test_what_is_no_range_gives_all_of_it(stored, data, text):
    caller, path = stored
    reply = part(caller, path, text)
    assert (reply.status, reply.body) == (200, data)
    assert "Content-Range" not in reply.headers


def test_a_range_of_another_version_gives_all_of_it(stored, data):
    caller, path = stored
    assert part(caller, path, "bytes=0-9", **{"If-Range": tag_of(data)}).status == 206
    for tag in (tag_of(b"other"), "W/" + tag_of(data), "Sat, 31 Jan 2026 12:00:00 GMT"):
        assert part(caller, path, "bytes=0-9", **{"If-Range": tag}).body == data


def test_an_empty_file_has_no_ranges(user, agent, queue):
    caller, path = artifact_of(user, agent, queue, b"")
    reply = caller.get(path)
    assert (reply.status, reply.body, reply.headers["ETag"]) == (200, b"", tag_of(b""))
    assert_refused(part(caller, path, "bytes=0-"), 416)
    assert caller.request("HEAD", path).headers["Content-Length"] == "0"


def test_another_artifact_has_another_tag(user, agent, queue):
    caller, path = artifact_of(user, agent, queue, b"first")
    agent.upload(path, b"second")
    reply = caller.get(path, headers={"If-None-Match": tag_of(b"first")})
    assert (reply.status, reply.body, reply.headers["ETag"]) == (200, b"second", tag_of(b"second"))


def test_a_file_at_the_limit_is_taken_and_one_beyond_it_not(user, agent, queue):
    caller, path = artifact_of(user, agent, queue, b"x" * LIMIT)
    assert caller.request("HEAD", path).headers["Content-Length"] == str(LIMIT)
    for size in (LIMIT + 1, LIMIT + 60_000, 2 * LIMIT):
        assert_refused(agent.upload(path, b"y" * size), 413)
    assert caller.get(path).body == b"x" * LIMIT


def cut_upload(caller, path, size):
    """Sends the beginning of an upload of which size bytes of the file get through, and leaves."""
    body = b'--m\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + b"x" * size
    head = (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {caller.auth}\r\n"
            "Content-Type: multipart/form-data; boundary=m\r\n"
            f"Content-Length: {len(body) + 100_000}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", caller.server.port), timeout=60) as connection:
        connection.sendall(head.encode() + body)


def test_an_upload_whose_client_leaves_was_never_there(user, agent, queue, cluster, database):
    caller, path = artifact_of(user, agent, queue, b"before")
    job = path.split("/")[3]
    held = user.submit(queue + "-held", test_data={"attachments": []})
    uploads = f"SELECT count(*) FROM tf.file WHERE job_id IN ('{job}', '{held}')"
    for size in (1000, 600_000):
        cut_upload(agent, path, size)
        cut_upload(user, f"/v1/job/{held}/attachments", size)
        wait_for(lambda: cluster.psql(uploads, database) == "1", 60,
                 "only the first upload is left")
        assert caller.get(path).body == b"before"
        assert agent.get(f"/v1/job/{held}/attachments").status == 204
        assert agent.claim(queue + "-held") is None
    assert cluster.psql("SELECT count(*) FROM tf.chunk c WHERE NOT EXISTS "
                        "(SELECT FROM tf.file f WHERE f.id = c.file_id)", database) == "0"
    assert user.upload(f"/v1/job/{held}/attachments", b"whole").status == 200
    assert agent.claim(queue + "-held")["job_id"] == held
