# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /v1/job of many at once: made together, and each gets the answer it would have got alone."""
import concurrent.futures
import functools
import uuid

import psycopg
import pytest

from caller import Caller, new_name
from conftest import of_role
from held import Calls, locked

BATCHED = 'testflinger_batched_requests_total{lane="submit"}'
BATCHES = 'testflinger_batches_total{lane="submit"}'


@pytest.fixture(name="conninfo")
def conninfo_of_the_database(cluster, database):
    return cluster.conninfo(database)


@pytest.fixture(name="together")
def made_together(server, conninfo):
    """Sends the requests so that all but the first are made together; the replies by their names."""
    def send(requests):
        before = server.metric(BATCHES), server.metric(BATCHED)
        with psycopg.connect(conninfo, autocommit=True) as session, locked(conninfo, "tf.definition") as held:
            Calls(session, "submit_job", "submit").gather(held, server, requests)
        replies = held.finish()
        assert (server.metric(BATCHES), server.metric(BATCHED)) == (before[0] + 2, before[1] + len(requests))
        return {name: replies[name] for name in requests}
    return send


def submit(caller, queue, headers=None, **fields):
    return functools.partial(caller.post, "/v1/job", {"job_queue": queue, **fields}, headers=headers)


def test_bad_ones_among_them_are_nobody_elses_matter(server, boss, user, agent, anonymous, queue, together):
    closed, known = new_name("closed"), user.submit(queue, name="known")
    agent.post(f"/v1/agents/data/{new_name('dut')}", {"queues": [closed]})
    owner, _ = server.add_client(new_name("owner"), "contributor")
    assert boss.post(f"/v1/restricted-queues/{closed}", {"client_id": owner}).status == 200
    ranked = of_role(server, "contributor", max_priority={queue: 5})
    key = {"Idempotency-Key": new_name("key")}
    wanted = {
        "first": (submit(user, queue), 200),
        "plain": (submit(user, queue), 200),
        "priority": (submit(ranked, queue, job_priority=5), 200),
        "too high": (submit(ranked, queue, job_priority=6), 403),
        "anonymous": (submit(anonymous, queue, job_priority=1), 401),
        "closed": (submit(user, closed), 403),
        "nobody left": (submit(user, new_name(), exclude_agents=["a"]), 422),
        "bad id": (submit(user, queue, job_id="x"), 400),
        "known id": (submit(user, queue, job_id=known), 409),
        "same": (submit(user, queue, job_id=known, name="known"), 200),
        "own id": (submit(user, queue, job_id=str(uuid.uuid4())), 200),
        "key": (submit(user, queue, key), 200),
        "key again": (submit(user, queue, key), 200),
        "key with another body": (submit(user, queue, key, name="another"), 422),
        "tags": (submit(user, queue, tags=["a", "b"], max_wait=3600), 200),
        "attachments": (submit(user, queue, test_data={"attachments": [{"agent": "a.txt", "device": "b"}]}), 200),
        "U+0000": (submit(user, queue, allocate_data={"x": "\0"}), 200),
    }
    replies = together({name: request for name, (request, _) in wanted.items()})
    assert {name: reply.status for name, reply in replies.items()} == {
        name: status for name, (_, status) in wanted.items()}
    jobs = {name: reply.json()["job_id"] for name, reply in replies.items() if reply.status == 200}
    assert jobs["same"] == known and jobs["key"] == jobs["key again"]
    assert len(set(jobs.values())) == len(jobs) - 1
    for name, job in jobs.items():
        assert user.get(f"/v1/job/{job}").json().get("name") == ("known" if name == "same" else None)
    assert user.get(f"/v1/job/{jobs['U+0000']}").json()["allocate_data"] == {"x": "\0"}


def test_what_is_not_fit_to_be_a_job_is_refused_while_others_wait(server, conninfo, user, anonymous, queue):
    with psycopg.connect(conninfo, autocommit=True) as session, locked(conninfo, "tf.definition") as held:
        Calls(session, "submit_job", "submit").gather(held, server, {n: submit(user, queue) for n in range(3)})
        as_json = {"Content-Type": "application/json"}
        assert user.post("/v1/job", headers=as_json, body=b"{").status == 400
        assert submit(user, "")().status == 422
        assert submit(user, queue, test_data={"secrets": {"A": "none/such"}})().status == 422
        assert submit(user, queue, {"Idempotency-Key": "x" * 256})().status == 422
        assert submit(anonymous, queue, {"Idempotency-Key": "no UUID"})().status == 422
    assert [reply.status for reply in held.finish().values()] == [200] * 3
    assert len(user.get(f"/v1/queues/{queue}/jobs").json()) == 3


def test_one_that_the_database_cannot_take_fails_alone(conninfo, user, queue, together):
    with psycopg.connect(conninfo, autocommit=True) as session:
        session.execute("ALTER TABLE tf.job ADD CONSTRAINT no_poison CHECK (name <> 'poison') NOT VALID")
        try:
            replies = together({**{f"good {n}": submit(user, queue) for n in range(3)},
                                "bad": submit(user, queue, name="poison"), "last": submit(user, queue)})
        finally:
            session.execute("ALTER TABLE tf.job DROP CONSTRAINT no_poison")
    assert {name: reply.status for name, reply in replies.items()} == {
        **{f"good {n}": 200 for n in range(3)}, "bad": 500, "last": 200}
    listed = user.get(f"/v1/queues/{queue}/jobs").json()
    assert sorted(job["job_id"] for job in listed) == sorted(
        reply.json()["job_id"] for name, reply in replies.items() if name != "bad")


def test_agents_get_them_in_the_order_in_which_they_came(user, agent, queue, together):
    replies = together({n: submit(user, queue, name=f"{n}") for n in range(10)})
    assert [agent.named(new_name("dut")).claim(queue)["job_id"] for _ in range(10)] == [
        reply.json()["job_id"] for reply in replies.values()]


def test_long_ones_are_made_in_several_calls(user, queue, together):
    text = "é" + "x" * 60_000
    replies = together({n: submit(user, queue, test_data={"test_cmds": f"{n} {text}"}) for n in range(16)})
    for n, reply in replies.items():
        assert user.get(f"/v1/job/{reply.json()['job_id']}").json()["test_data"] == {"test_cmds": f"{n} {text}"}


def test_very_long_ones_are_not_gathered(server, user, queue):
    before = server.metric(BATCHES)
    job = user.submit(queue, test_data={"test_cmds": "x" * 70_000})
    assert server.metric(BATCHES) == before
    assert len(user.get(f"/v1/job/{job}").json()["test_data"]["test_cmds"]) == 70_000


def test_an_agent_that_waits_is_woken_by_one_of_many(user, agent, queue, pool, together):
    waiting = pool.submit(agent.get, f"/v1/job?queue={queue}&wait=60")
    replies = together({n: submit(user, queue) for n in range(4)})
    assert waiting.result(60).json()["job_id"] in {reply.json()["job_id"] for reply in replies.values()}


def test_many_clients_at_once(server, queue):
    users = [of_role(server, "contributor") for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda n: submit(users[n % 4], queue, name=f"{n}", **(
            {"job_priority": 1} if n % 5 == 0 else {}))(), range(200)))
    assert [reply.status for reply in got] == [403 if n % 5 == 0 else 200 for n in range(200)]
    listed = Caller(server, users[0].auth).get(f"/v1/queues/{queue}/jobs?limit=1000")
    assert len(listed.json()) == 160
    for n, reply in list(enumerate(got))[1:200:7]:
        if reply.status == 200:
            assert users[0].get(f"/v1/job/{reply.json()['job_id']}").json()["name"] == f"{n}"
