# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of the claims dies, or says that a commit may be undone: no job is handed out twice,
none is kept from everybody, and agents that got nothing do not notice."""
import contextlib
import threading

import psycopg
import pytest

from caller import Caller, new_name
from cluster import SERVER_LOGIN
from conftest import DATABASE
from proxy import Meddling, Proxies
from server import Server
from wait import wait_for

AGENTS = 8


class Proxied:
    """What Server asks a cluster for, but by way of a proxy."""

    def __init__(self, cluster, proxies):
        self.dir = cluster.dir / "proxy"
        self.dir.mkdir()
        self.dir.chmod(0o755)
        self.proxy = proxies.add(f"{cluster.dir}/.s.PGSQL.5432", listen=f"{self.dir}/.s.PGSQL.5432")

    def conninfo(self, database, user):
        return f"host={self.dir} dbname={database} user={user}"


@pytest.fixture(name="proxied", scope="module")
def proxied_cluster(own):
    proxies = Proxies()
    made = Proxied(own, proxies)
    yield made
    made.proxy.cut()
    wait_for(lambda: not made.proxy.writers, what="the connections are closed")
    proxies.stop()


@pytest.fixture(name="server", scope="module")
def proxied_server(proxied, tmp_path_factory):
    made = Server(proxied, DATABASE, tmp_path_factory.mktemp("commit")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(name="user")
def submitter(server):
    return Caller(server, server.token())


@pytest.fixture(name="agents")
def claiming_agents(server):
    token = server.token(*server.add_client(new_name("lab"), "agent"))
    return [Caller(server, token, new_name("dut")) for _ in range(AGENTS)]


@pytest.fixture(name="session")
def database_session(own):
    with psycopg.connect(own.conninfo(DATABASE), autocommit=True) as made:
        yield made


def claims_under_way(session, wait_event_type):
    return [row[0] for row in session.execute(
        "SELECT pid FROM pg_stat_activity WHERE usename = %s AND query LIKE '%%claim_jobs%%'"
        " AND state = 'active' AND wait_event_type = %s", (SERVER_LOGIN, wait_event_type))]


class Held:
    """Requests whose answers take a while."""

    def __init__(self):
        self.replies = {}
        self.threads = []

    def ask(self, agent, path):
        def claim():
            self.replies[agent.agent] = agent.get(path)
        self.threads.append(threading.Thread(target=claim))
        self.threads[-1].start()

    def finish(self):
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        return self.replies


@contextlib.contextmanager
def claims_held(own):
    """No claim can be made meanwhile: what it would write is locked."""
    with psycopg.connect(own.conninfo(DATABASE)) as blocker:
        blocker.execute("LOCK TABLE tf.attempt IN EXCLUSIVE MODE")
        yield Held()
        blocker.rollback()


def ask_together(held, server, session, agents, path):
    """The first is under way, all others are made together after it."""
    held.ask(agents[0], path)
    wait_for(lambda: claims_under_way(session, "Lock"), what="the first claim is under way")
    for agent in agents[1:]:
        held.ask(agent, path)
    wait_for(lambda: server.metric('testflinger_pool_waiting{lane="claim"}') == len(agents) - 1,
             what="the others wait for it")


def check_jobs(session, replies, jobs):
    """Each job at one agent, as the database sees it too."""
    got = {agent: reply.json()["job_id"] for agent, reply in replies.items() if reply.status == 200}
    assert sorted(got.values()) == sorted(jobs)
    rows = session.execute("SELECT agent, job_id::text FROM tf.lease WHERE job_id::text = ANY (%s)", (jobs,))
    assert dict(rows.fetchall()) == got


def test_claims_of_a_connection_that_dies_before_the_commit_are_made_again(own, server, user, agents, session):
    queue = new_name()
    jobs = [user.submit(queue) for _ in range(AGENTS - 2)]
    with claims_held(own) as held:
        ask_together(held, server, session, agents, f"/v1/job?queue={queue}")
        session.execute("SELECT pg_terminate_backend(%s)", (claims_under_way(session, "Lock")[0],))
        # the same claim, by another connection
        wait_for(lambda: claims_under_way(session, "Lock"), what="the claim is made again")
    replies = held.finish()
    assert sorted(reply.status for reply in replies.values()) == [200] * len(jobs) + [204] * 2
    check_jobs(session, replies, jobs)


@pytest.mark.parametrize("action", ["drop", "cut"])
def test_claims_whose_commit_is_not_heard_of_are_found(own, proxied, server, user, agents, session, action):
    queue = new_name()
    jobs = [user.submit(queue) for _ in range(AGENTS - 2)]
    with claims_held(own) as held:
        ask_together(held, server, session, agents, f"/v1/job?queue={queue}")
        # the first claim was sent before: this is about the one of all others
        meddling = proxied.proxy.meddle(Meddling(b"claim_jobs", action, 1))
    replies = held.finish()
    assert meddling.done == 1
    assert sorted(reply.status for reply in replies.values()) == [200] * len(jobs) + [204] * 2
    check_jobs(session, replies, jobs)
    assert session.execute("SELECT count(*) FROM tf.attempt WHERE job_id::text = ANY (%s)",
                           (jobs,)).fetchone() == (len(jobs),), "none was claimed twice"


def test_an_empty_poll_whose_answer_is_lost_is_repeated(proxied, agents):
    meddling = proxied.proxy.meddle(Meddling(b"claim_jobs", "drop", 1))
    assert agents[0].get(f"/v1/job?queue={new_name()}").status == 204
    assert meddling.done == 1


def test_agents_are_told_when_nobody_knows(proxied, user, agents, session):
    """The outcome cannot be asked for either: 503, and what was claimed comes back by itself."""
    queue = new_name()
    job = user.submit(queue)
    meddlings = [proxied.proxy.meddle(Meddling(pattern, "drop", 2)) for pattern in (b"claim_jobs", b"claims_of")]
    reply = agents[0].get(f"/v1/job?queue={queue}")
    assert reply.status == 503 and int(reply.headers["Retry-After"]) > 0
    assert [one.done for one in meddlings] == [1, 2]
    proxied.proxy.mend()
    session.execute("UPDATE tf.lease SET offered_at = offered_at - interval '1 min' WHERE job_id = %s", (job,))
    assert agents[0].claim(queue)["job_id"] == job, "the same agent gets it as soon as it asks again"


def test_a_commit_that_a_failover_may_undo_is_not_reported(own, user, agents, session):
    queue = new_name()
    job = user.submit(queue)
    session.execute("SET synchronous_commit = local")
    session.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    session.execute("SELECT pg_reload_conf()")
    held = Held()
    try:
        wait_for(lambda: own.psql("SHOW synchronous_standby_names") == "nobody", what="the setting is read")
        held.ask(agents[0], f"/v1/job?queue={queue}")
        wait_for(lambda: claims_under_way(session, "IPC"), what="the commit waits for the standby")
        session.execute("SELECT pg_cancel_backend(%s)", (claims_under_way(session, "IPC")[0],))
        assert [reply.status for reply in held.finish().values()] == [503]
    finally:
        session.execute("ALTER SYSTEM RESET synchronous_standby_names")
        session.execute("SELECT pg_reload_conf()")
        held.finish()
    assert session.execute("SELECT agent FROM tf.lease WHERE job_id = %s", (job,)).fetchone() == (agents[0].agent,)
