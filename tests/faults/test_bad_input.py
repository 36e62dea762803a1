# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that are huge, deep or no JSON at all get a 4xx; the server goes on."""
import pytest

JSON = {"Content-Type": "application/json"}

MALFORMED = [
    b"{", b"}", b"[", b"nul", b'{"job_queue": "q"', b'{"job_queue": "q",}', b"{'job_queue': 'q'}",
    b'{"job_queue": "q"} trailing', b'{"job_queue": "\x00"}',
    b'{"job_queue": "a\nb"}', b'{"job_queue": "\xff\xfe"}', b'{"job_queue": "\xed\xa0\x80"}',
    b'{"job_queue": "\xc0\xaf"}', b'\xef\xbb\xbf{"job_queue": "q"}', b'{"job_queue": 01}',
    b"// comment\n{}", b'{"job_queue" "q"}', b"\x00", b"\xff",
]

WRONG = [
    b'{"job_queue": NaN}', b'{"job_queue": -Infinity}',
    b"[]", b"1", b'"text"', b"null", b"true", b'{"job_queue": null}', b'{"job_queue": ["q"]}',
    b'{"job_queue": ""}', b'{"job_queue": {"q": 1}}', b"{}", b'{"job_queue": "\\ud800"}',
    b'{"job_queue": "\\u0000"}', b'{"job_queue": "q", "\\u0000": 1}',
    b'{"job_queue": "q", "job_priority": 99999999999999999999}',
    b'{"job_queue": "q", "tags": "text"}', b'{"job_queue": "q", "global_timeout": "soon"}',
    b'{"job_queue": "q", "unknown": 1}', b'{"job_queue": "q", "test_data": []}',
    b'{"job_queue": "q", "provision_data": {"unknown": 1}}',
    b'{"job_queue": "' + b"q" * 1001 + b'"}',
]


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_json_is_refused(server, body):
    reply = server.post("/v1/job", body, headers=JSON)
    assert reply.status == 400 and reply.json()["message"], reply


@pytest.mark.parametrize("body", WRONG)
def test_json_of_the_wrong_shape_is_refused(server, body):
    reply = server.post("/v1/job", body, headers=JSON)
    assert reply.status in (400, 422) and reply.json()["message"], reply


@pytest.mark.parametrize("start, end", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
@pytest.mark.parametrize("depth", [101, 10000, 500000])
def test_deep_nesting_is_refused(server, start, end, depth):
    body = b'{"job_queue": "q", "firmware_update_data": {"x": ' \
        + start * depth + b"1" + end * depth + b"}}"
    reply = server.post("/v1/job", body, headers=JSON)
    assert reply.status in (400, 413, 422), reply
    body = start * depth
    assert server.post("/v1/job", body, headers=JSON).status in (400, 413, 422)


def test_nesting_below_the_limit_is_kept(server):
    depth = 90
    data = 1
    for _ in range(depth):
        data = {"a": [data]} if depth % 2 else {"a": data}
    reply = server.post("/v1/job", {"job_queue": "deep", "firmware_update_data": data})
    assert reply.status == 200, reply
    job = server.get("/v1/job/" + reply.json()["job_id"]).json()
    assert job["firmware_update_data"] == data


def test_a_huge_body_is_refused(server):
    body = b'{"job_queue": "q", "test_data": {"test_cmds": "' + b"x" * (64 << 20) + b'"}}'
    try:
        status = server.post("/v1/job", body, headers=JSON).status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it closed without reading all of it
    assert status == 413
    assert server.get("/readyz").status == 200


def test_many_keys_and_long_lists_are_taken_or_refused(server):
    tags = ["t%d" % number for number in range(20000)]
    assert server.post("/v1/job", {"job_queue": "q", "tags": tags}).status in (200, 413, 422)
    data = {"k%d" % number: number for number in range(50000)}
    reply = server.post("/v1/job", {"job_queue": "q", "firmware_update_data": data})
    assert reply.status in (200, 413, 422)


@pytest.mark.parametrize("path", ["/v1/job/not-a-uuid", "/v1/job/" + "0" * 5000,
                                  "/v1/job/%ff%fe", "/v1/job/..%2f..%2fetc",
                                  "/v1/result/%00", "/v1/job/" + "%41" * 300])
def test_a_bad_path_is_refused(server, path):
    assert 400 <= server.get(path).status < 500


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer a.b.c", "Bearer " + "x" * 8000,
                                    "Basic ====", "Nonsense", "Bearer \xff"])
def test_a_bad_token_is_refused(server, header):
    reply = server.post("/v1/job", {"job_queue": "q"}, headers={"Authorization": header})
    assert reply.status in (400, 401, 403), reply
