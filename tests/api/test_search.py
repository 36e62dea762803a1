# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/job/search."""
import re
import urllib.parse

import pytest

from caller import assert_refused, new_name, shape_of

STATES = ("setup provision firmware_update test allocate allocated reserve cleanup cancelled completed"
          " complete waiting running active").split()


def search(caller, **query):
    reply = caller.get("/v1/job/search?" + urllib.parse.urlencode(query, doseq=True))
    assert reply.status == 200, reply
    return reply.json()


def found(caller, **query):
    """{job: state}; each job is found once."""
    jobs = search(caller, **query)
    assert len({one["job_id"] for one in jobs}) == len(jobs)
    return {one["job_id"]: one["job_state"] for one in jobs}


@pytest.fixture
def tag():
    return new_name("tag")


def test_jobs_are_found_by_tags(user, anonymous, queue, tag):
    both = user.submit(queue, tags=[tag, tag + "y", tag])
    one = user.submit(queue, tags=[tag])
    other = user.submit(queue, tags=[tag + "z", ""])
    user.submit(queue)
    w = "waiting"
    assert found(user, tags=tag) == {both: w, one: w}
    assert found(anonymous, tags=[tag + "y", tag + "z"]) == {both: w, other: w}
    assert found(user, tags=[tag, tag + "y"], match="any") == {both: w, one: w}
    assert found(user, tags=[tag, tag + "y", tag], match="all") == {both: w}
    assert found(user, tags=[tag, tag + "z"], match="all") == {}
    assert found(user, tags=f"{tag},{tag}y") == {}
    assert found(user, tags=["", tag + "z"], match="all") == {other: w}
    assert search(user, tags=tag, nonsense="x") == search(user, tags=tag)


def test_what_is_told_of_a_job(user, queue, tag):
    jobs = [user.submit(queue, tags=[tag]) for _ in range(3)]
    listed = search(user, tags=tag)
    for one in listed:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.pop("created_at"))
    assert listed == [{"job_id": job, "job_state": "waiting"} for job in jobs]
    assert {*jobs} <= {*found(user)}


def test_jobs_are_found_by_state(user, agent, queue, tag):
    jobs = [user.submit(queue, tags=[tag]) for _ in range(6)]
    for _ in range(4):
        agent.claim(queue)
    agent.post(f"/v1/result/{jobs[0]}", {"job_state": "test"})
    agent.post(f"/v1/result/{jobs[1]}", {"job_state": "complete"})
    agent.post(f"/v1/result/{jobs[2]}", {"job_state": "completed"})
    user.post(f"/v1/job/{jobs[4]}/action", {"action": "cancel"})
    states = dict(zip(jobs, ("test", "complete", "completed", "running", "cancelled", "waiting")))

    def those(*wanted):
        return {job: state for job, state in states.items() if state in wanted}

    assert found(user, tags=tag) == states
    assert found(user, tags=tag, state="test") == those("test")
    assert found(user, tags=tag, state="provision") == {}
    for name in ("complete", "completed"):
        assert found(user, tags=tag, state=name) == those("complete", "completed")
    assert found(user, tags=tag, state=["cancelled", "waiting"]) == those("cancelled", "waiting")
    assert found(user, tags=tag, state="running") == those("running")
    for query in (["active"], ["cancelled", "active"], ["active", "complete"]):
        assert found(user, tags=tag, state=query) == those("test", "running", "waiting")
    assert those("running").items() <= found(user, state="running").items()
    assert not those("complete").items() & found(user, state="active").items()


@pytest.mark.parametrize("query, complaints", [
    ("state=nonsense", {"state": {"0": True}}),
    ("state=", {"state": {"0": True}}),
    ("state=test&state=bad&state=waiting&state=TEST", {"state": {"1": True, "3": True}}),
    ("match=some", {"match": True}),
    ("match=", {"match": True}),
    ("match=x&state=y&limit=0&cursor=z", {"match": True, "state": {"0": True}, "limit": True, "cursor": True}),
    ("limit=1001", {"limit": True}), ("limit=x", {"limit": True}), ("limit=", {"limit": True}),
    ("cursor=", {"cursor": True}), ("cursor=0", {"cursor": True}), ("cursor=00", {"cursor": True}),
    ("cursor=zz", {"cursor": True}), ("cursor=ff", {"cursor": True}), ("cursor=" + "61" * 1001, {"cursor": True}),
])
def test_malformed_queries(user, query, complaints):
    reply = user.get("/v1/job/search?" + query)
    assert_refused(reply, 422)
    assert shape_of(reply.json()["detail"]["query"]) == complaints


def test_a_cursor_of_another_list_is_refused(user):
    assert_refused(user.get("/v1/job/search?cursor=6162"), 422)


def test_every_known_state_may_be_asked_for(user):
    assert isinstance(search(user, state=STATES), list)


def test_search_in_pages(user, queue, tag):
    jobs = [user.submit(queue, tags=[tag, "\u2603 &=+%/"]) for _ in range(5)]
    path = "/v1/job/search?" + urllib.parse.urlencode({"tags": [tag, "\u2603 &=+%/"], "match": "all", "limit": 2},
                                                      doseq=True)
    pages = [[one["job_id"] for one in page] for page in user.pages(path)]
    assert pages == [jobs[4:2:-1], jobs[2:0:-1], jobs[:1]]
    assert [len(page) for page in user.pages(f"/v1/job/search?tags={tag}&limit=5")] == [5]
    assert [len(page) for page in user.pages(f"/v1/job/search?tags={tag}&limit=5&state=complete")] == [0]


def test_old_jobs_are_on_pages_only(user, server, queue, tag):
    old, waiting = (user.submit(queue, tags=[tag]) for _ in range(2))
    user.post(f"/v1/job/{old}/action", {"action": "cancel"})
    server.cluster.psql("UPDATE tf.job SET created_at = now() - interval '8 days' WHERE seq <="
                        f" (SELECT seq FROM tf.job WHERE id = '{waiting}')", server.database)
    new = user.submit(queue, tags=[tag])
    assert [*found(user, tags=tag)] == [waiting, new]
    assert [*found(user, tags=tag, limit=9)] == [new, waiting, old]
    listed = user.get(f"/v1/queues/{queue}/jobs").json()
    assert [one["job_id"] for one in listed] == [waiting, new]
    assert old not in found(user) and waiting in found(user)


def test_a_long_list_is_streamed_whole(user, server, queue, tag):
    """More jobs than one page of the stream, made in the database because it is faster."""
    server.cluster.psql(
        "SELECT count(*) FROM generate_series(1, 2500) n, api.submit_job('{}', jsonb_build_object("
        f"'new_id', gen_random_uuid(), 'queue', '{queue}', 'sha256', '00', 'tags', jsonb_build_array('{tag}'), 'n', n))",
        server.database)
    assert len(found(user, tags=tag)) == 2500
    assert len(user.get(f"/v1/queues/{queue}/jobs").json()) == 2500
    assert sum(len(page) for page in user.pages(f"/v1/queues/{queue}/jobs?limit=999")) == 2500
    assert user.request("HEAD", f"/v1/job/search?tags={tag}").body == b""


def test_agents_may_not(agent):
    assert_refused(agent.get("/v1/job/search?match=x"), 403)


def test_many_tags(user, queue, tag):
    job = user.submit(queue, tags=[tag])
    query = "&".join(f"tags=another-one-{n}" for n in range(300)) + f"&tags={tag}"
    assert [one["job_id"] for one in user.get("/v1/job/search?" + query).json()] == [job]
    user.submit(queue, tags=[tag])
    assert_refused(user.get("/v1/job/search?limit=1&" + query), 422)  # no room for the link
