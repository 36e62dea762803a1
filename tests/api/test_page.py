# SPDX-License-Identifier: GPL-3.0-or-later
"""?limit= and ?cursor= of the lists by name."""
import pytest

from caller import assert_refused, new_name

LISTS = {"/v1/agents/data": "name", "/v1/client-permissions": "client_id", "/v1/restricted-queues": "queue"}


@pytest.fixture(scope="module")
def names(boss, agent):
    """Something on every list."""
    names = [new_name("\u2603 &;" + kind) for kind in "cab"]
    for name in names:
        agent.post("/v1/agents/data/" + new_name("dut"), {"queues": [name]})
        client = new_name("client")
        boss.put(f"/v1/client-permissions/{client}", {"client_secret": "x" * 15})
        assert boss.post(f"/v1/restricted-queues/{_quote(name)}", {"client_id": client}).status == 200


def _quote(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize("path", LISTS)
def test_pages_add_up(boss, names, path):
    key = LISTS[path]
    whole = boss.get(path)
    assert "Link" not in whole.headers
    whole = whole.json()
    assert len(whole) >= 3 and [one[key] for one in whole] == sorted(one[key] for one in whole)
    for limit in (1, 2, len(whole), 1000):
        pages = [*boss.pages(f"{path}?limit={limit}")]
        assert [one for page in pages for one in page] == whole
        assert all(len(page) == limit for page in pages[:-1]) and 0 < len(pages[-1]) <= limit


@pytest.mark.parametrize("path", [*LISTS, "/v1/queues/q/jobs"])
def test_malformed_pages(boss, path):
    for query, field in (("limit=0", "limit"), ("limit=-1", "limit"), ("limit=1001", "limit"), ("limit=1x", "limit"),
                         ("cursor=x", "cursor"), ("limit=5&cursor=6", "cursor")):
        reply = boss.get(f"{path}?{query}")
        assert_refused(reply, 422)
        assert [*reply.json()["detail"]["query"]] == [field]


def test_a_cursor_is_enough(boss, names):
    link = boss.get("/v1/agents/data?limit=1").headers["Link"]
    cursor = link.partition("cursor=")[2].partition(">")[0]
    assert boss.get(f"/v1/agents/data?cursor={cursor}").json() == boss.get("/v1/agents/data").json()[1:]


def test_the_jobs_of_a_queue_in_pages(user, queue):
    reply = user.get(f"/v1/queues/{queue}/jobs?limit=3")
    assert (reply.status, reply.body) == (204, b"")
    name = queue + " &\u2603?"
    jobs = [user.submit(name) for _ in range(3)]
    pages = [[one["job_id"] for one in page] for page in user.pages(f"/v1/queues/{_quote(name)}/jobs?limit=2")]
    assert pages == [[jobs[2], jobs[1]], [jobs[0]]]
