# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/job?wait=SECONDS: an agent that waits for work, on one of two servers."""
import contextlib
import http.client

import psycopg
import pytest

from caller import Caller, assert_refused, new_name
from server import Server
from wait import wait_for

LONG = 120  # longer than any test may take: an answer before that came because of a change


@pytest.fixture
def idle(agent, queue):
    """An agent of its own, which serves the queue."""
    made = agent.named(new_name("idle"))
    tell(made, queues=[queue], state="waiting")
    return made


def tell(agent, **data):
    reply = agent.post(f"/v1/agents/data/{agent.agent}", data)
    assert reply.status == 200, reply
    return reply


def ask(agent, queues, wait=LONG):
    """The reply to a claim that may wait."""
    return agent.get("/v1/job?" + "".join(f"queue={queue}&" for queue in queues) + f"wait={wait}")


def wait_in(pool, agent, *queues):
    """Asks for work and returns the future reply, once the request is parked."""
    before = agent.server.parked()
    future = pool.submit(ask, agent, queues)
    wait_for(lambda: agent.server.parked() > before, what="the agent waits")
    return future


def open_waiting(agent, queue):
    """A connection with a claim that waits; nothing was read from it."""
    connection = http.client.HTTPConnection("127.0.0.1", agent.server.port, timeout=60)
    connection.request("GET", f"/v1/job?queue={queue}&wait={LONG}",
                       headers={"Authorization": f"Bearer {agent.auth}", "Cookie": f"agent_name={agent.agent}"})
    return connection


def job_of(future):
    reply = future.result(30)
    assert reply.status == 200, reply
    return reply.json()["job_id"]


@pytest.fixture
def far(other):
    """The same caller at the other server."""
    return lambda caller: Caller(other, caller.auth, caller.agent)


def test_work_that_is_there_is_handed_out_at_once(user, idle, queue):
    job = user.submit(queue)
    reply = ask(idle, [queue])
    assert (reply.status, reply.json()["job_id"]) == (200, job)
    assert reply.headers["Accept-Wait"] == "300"


@pytest.mark.parametrize("where", ["here", "there"])
def test_work_that_comes_is_handed_out_wherever_it_was_submitted(user, idle, far, pool, queue, where):
    future = wait_in(pool, idle, "no-such-queue", queue)
    job = (user if where == "here" else far(user)).submit(queue)
    assert job_of(future) == job


def test_attachments_that_come_make_work(user, idle, far, pool, queue):
    job = user.submit(queue, test_data={"attachments": [{"agent": "a"}]})
    future = wait_in(pool, far(idle), queue)
    user.upload(f"/v1/job/{job}/attachments", b"x")
    assert job_of(future) == job


def test_without_work_the_time_ends_it(idle, queue):
    reply = ask(idle, [queue], wait=1)
    assert (reply.status, reply.body, reply.headers["Accept-Wait"]) == (204, b"", "300")
    assert idle.get(f"/v1/job?queue={queue}").headers["Accept-Wait"] == "300"
    assert tell(idle).headers["Accept-Wait"] == "300"
    assert idle.get(f"/v1/agents/data/{idle.agent}").headers["Accept-Wait"] == "300"


@pytest.mark.parametrize("wait", ["0", "-1", "301", "x", "", "1.5"])
def test_bad_times(idle, queue, wait):
    assert_refused(idle.get(f"/v1/job?queue={queue}&wait={wait}"), 400)


def test_errors_and_heads_say_how_long_a_request_may_wait_too(server, idle, user, queue):
    path = f"/v1/job?queue={queue}"
    replies = [idle.request("HEAD", path), idle.get("/v1/job"), idle.get(path + "&wait=x"), user.get(path),
               server.get(path)]
    assert [reply.status for reply in replies] == [204, 400, 400, 403, 403]
    assert [reply.headers.get("Accept-Wait") for reply in replies] == ["300"] * 5


def test_head_does_not_wait(user, idle, queue):
    user.submit(queue)
    assert idle.request("HEAD", f"/v1/job?queue={queue}&wait={LONG}").status == 204
    assert idle.claim(queue)


@pytest.mark.parametrize("state", ["offline", "maintenance"])
def test_an_agent_sent_away_is_told_at_once_and_gets_nothing(boss, user, idle, far, pool, queue, state):
    future = wait_in(pool, idle, queue)
    tell(Caller(far(boss).server, boss.auth, idle.agent), state=state)
    assert future.result(30).status == 204
    user.submit(queue)
    assert ask(idle, [queue], wait=1).status == 204, "nothing as long as it is away"
    future = wait_in(pool, idle, queue)
    tell(idle, state="waiting")
    assert future.result(30).status == 204
    assert ask(idle, [queue]).status == 200


def test_a_post_that_changes_nothing_disturbs_nobody(user, idle, pool, queue):
    future = wait_in(pool, idle, queue)
    tell(idle, log=["a line"], location="here")
    job = user.submit(queue)
    assert job_of(future) == job


def test_an_agent_is_told_of_restrictions(server, boss, idle, far, pool, queue):
    owner = server.add_client(new_name("owner"), "contributor")[0]
    future = wait_in(pool, idle, queue)
    assert far(boss).post(f"/v1/restricted-queues/{queue}", {"client_id": owner}).status == 200
    assert future.result(30).status == 204
    future = wait_in(pool, idle, queue)
    assert boss.delete(f"/v1/restricted-queues/{queue}", body={"client_id": owner}).status == 200
    assert future.result(30).status == 204


def test_many_agents_of_one_queue_get_a_job_each(user, agent, far, pool, queue):
    agents = [agent.named(new_name("many")) for _ in range(8)]
    waiting = [wait_in(pool, far(one) if number % 2 else one, queue) for number, one in enumerate(agents)]
    jobs = {user.submit(queue) for _ in range(8)}
    assert {job_of(future) for future in waiting} == jobs


def test_a_job_goes_past_those_it_excludes(user, agent, pool, queue):
    agents = [agent.named(new_name("past")) for _ in range(3)]
    for one in agents:
        tell(one, queues=[queue], state="waiting")
    waiting = [wait_in(pool, one, queue) for one in agents]
    job = user.submit(queue, exclude_agents=[one.agent for one in agents[:2]])
    assert job_of(waiting[2]) == job
    assert not waiting[0].done() and not waiting[1].done()
    jobs = {user.submit(queue), user.submit(queue)}
    assert {job_of(future) for future in waiting[:2]} == jobs


def test_an_agent_that_left_gets_no_job(user, server, idle, agent, queue):
    connection = open_waiting(idle, queue)
    wait_for(lambda: server.parked() == 1)
    connection.close()
    wait_for(lambda: server.parked() == 0)
    job = user.submit(queue)
    assert user.get(f"/v1/job/{job}/status").json()["attempt"] == 0
    assert agent.claim(queue)["job_id"] == job


def test_a_job_claimed_for_an_agent_that_left_meanwhile_is_given_back(cluster, database, wakes, user, server, idle,
                                                                      agent, queue):
    job = user.submit(queue)
    with psycopg.connect(cluster.conninfo(database)) as session:
        session.execute("SELECT FROM tf.agent WHERE name = %s FOR UPDATE", (idle.agent,))
        connection = open_waiting(idle, queue)
        wait_for(lambda: cluster.psql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                      f" AND datname = '{database}' AND query LIKE '%claim_jobs%'"))
        connection.close()
        for _ in range(2):  # the one loop thread has seen the end of the connection before it answers this
            assert server.get("/healthz").status == 200
    wait_for(lambda: [entry["what"] for entry in user.get(f"/v1/job/{job}/timeline").json()][:3]
             == ["submitted", "claimed", "returned"], what="the job is given back")
    wait_for(lambda: wakes.heard("job", job) and wakes.heard("queue", queue), what="who waits for it is told")
    assert agent.claim(queue)["job_id"] == job


def test_a_job_that_comes_back_is_work(cluster, database, wakes, user, idle, agent, pool, queue):
    job = user.submit(queue)
    lost = agent.named(new_name("lost"))
    assert lost.claim(queue)["job_id"] == job
    lost.post(f"/v1/result/{job}", {"job_state": "setup"})
    future = wait_in(pool, idle, queue)
    cluster.psql(f"UPDATE tf.lease SET lease_until = now() WHERE job_id = '{job}'", database)
    assert job_of(future) == job
    wait_for(lambda: wakes.heard("job", job) and wakes.heard("queue", queue))
    assert not wakes.heard_all(), "nobody else is disturbed"


def test_a_job_that_is_tried_again_is_work(user, idle, agent, far, pool, queue):
    job = user.submit(queue, retry={"max": 1, "on": ["failed"]})
    first = agent.named(new_name("first"))
    assert first.claim(queue)["job_id"] == job
    future = wait_in(pool, far(idle), queue)
    assert first.post(f"/v1/result/{job}", {"job_state": "complete", "status": {"test": 1}}).status == 200
    assert job_of(future) == job


def test_a_lease_is_asked_for_as_without_waiting(user, idle, pool, queue):
    before = idle.server.parked()
    future = pool.submit(idle.get, f"/v1/job?queue={queue}&lease=60&boot=b1&wait={LONG}")
    wait_for(lambda: idle.server.parked() > before)
    user.submit(queue)
    lease = future.result(30).json()["lease"]
    assert (lease["seconds"], lease["attempt"]) == (60, 1)


def test_a_server_that_stops_answers_them_first(cluster, database, tmp_path, user, idle, pool, queue):
    made = Server(cluster, database, tmp_path, "stopping").start()
    with contextlib.ExitStack() as stack:
        stack.callback(made.process.stop)
        future = wait_in(pool, Caller(made, idle.auth, idle.agent), queue)
        assert made.stop() == 0
        assert future.result(30).status == 204
    job = user.submit(queue)
    assert idle.claim(queue)["job_id"] == job
