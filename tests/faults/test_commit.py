# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of the claims dies, or says that a commit may be undone: no job is handed out twice,
none is kept from everybody, and agents that got nothing do not notice.  That of the submissions: none is lost,
none is made twice."""
import functools

import psycopg
import pytest

from caller import Caller, new_name
from conftest import DATABASE
from held import Calls, Held, Proxied, locked
from proxy import Meddling, Proxies
from server import Server
from wait import wait_for

AGENTS = 8


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


@pytest.fixture(name="claims")
def calls_of_claims(session):
    return Calls(session, "claim_jobs", "claim")


@pytest.fixture(name="submissions")
def calls_of_submissions(session):
    return Calls(session, "submit_job", "submit")


def ask_for(agents, queue):
    return {agent.agent: functools.partial(agent.get, f"/v1/job?queue={queue}") for agent in agents}


def check_jobs(session, replies, jobs):
    """Each job at one agent, as the database sees it too."""
    got = {agent: reply.json()["job_id"] for agent, reply in replies.items() if reply.status == 200}
    assert sorted(got.values()) == sorted(jobs)
    rows = session.execute("SELECT agent, job_id::text FROM tf.lease WHERE job_id::text = ANY (%s)", (jobs,))
    assert dict(rows.fetchall()) == got


def test_claims_of_a_connection_that_dies_before_the_commit_are_made_again(own, server, user, agents, claims):
    queue = new_name()
    jobs = [user.submit(queue) for _ in range(AGENTS - 2)]
    with locked(own.conninfo(DATABASE), "tf.attempt") as held:
        claims.gather(held, server, ask_for(agents, queue))
        claims.kill()
        # the same claim, by another connection
        wait_for(lambda: claims.under_way("Lock"), what="the claim is made again")
    replies = held.finish()
    assert sorted(reply.status for reply in replies.values()) == [200] * len(jobs) + [204] * 2
    check_jobs(claims.session, replies, jobs)


@pytest.mark.parametrize("action", ["drop", "cut"])
def test_claims_whose_commit_is_not_heard_of_are_found(own, proxied, server, user, agents, claims, action):
    queue = new_name()
    jobs = [user.submit(queue) for _ in range(AGENTS - 2)]
    with locked(own.conninfo(DATABASE), "tf.attempt") as held:
        claims.gather(held, server, ask_for(agents, queue))
        # the first claim was sent before: this is about the one of all others
        meddling = proxied.proxy.meddle(Meddling(b"claim_jobs", action, 1))
    replies = held.finish()
    assert meddling.done == 1
    assert sorted(reply.status for reply in replies.values()) == [200] * len(jobs) + [204] * 2
    check_jobs(claims.session, replies, jobs)
    attempts = claims.session.execute("SELECT count(*) FROM tf.attempt WHERE job_id::text = ANY (%s)", (jobs,))
    assert attempts.fetchone() == (len(jobs),), "none was claimed twice"


def test_an_empty_poll_whose_answer_is_lost_is_repeated(proxied, agents):
    meddling = proxied.proxy.meddle(Meddling(b"claim_jobs", "drop", 1))
    assert agents[0].get(f"/v1/job?queue={new_name()}").status == 204
    assert meddling.done == 1


def test_agents_are_told_when_nobody_knows(proxied, user, agents, session):
    """The outcome cannot be asked for either: 503, and what was claimed comes back by itself."""
    queue = new_name()
    assert agents[0].get(f"/v1/job?queue={queue}").status == 204  # from now on the statement is prepared
    job = user.submit(queue)
    meddlings = [proxied.proxy.meddle(Meddling(pattern, "drop", 2)) for pattern in (b"claim_jobs", b"claims_of")]
    reply = agents[0].get(f"/v1/job?queue={queue}")
    assert reply.status == 503 and int(reply.headers["Retry-After"]) > 0
    assert [one.done for one in meddlings] == [1, 2]
    proxied.proxy.mend()
    session.execute("UPDATE tf.lease SET offered_at = offered_at - interval '1 min' WHERE job_id = %s", (job,))
    assert agents[0].claim(queue)["job_id"] == job, "the same agent gets it as soon as it asks again"


def test_a_commit_that_a_failover_may_undo_is_not_reported(own, user, agents, claims):
    session = claims.session
    queue = new_name()
    job = user.submit(queue)
    session.execute("SET synchronous_commit = local")
    session.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    session.execute("SELECT pg_reload_conf()")
    held = Held()
    try:
        wait_for(lambda: own.psql("SHOW synchronous_standby_names") == "nobody", what="the setting is read")
        held.ask("claim", functools.partial(agents[0].get, f"/v1/job?queue={queue}"))
        wait_for(lambda: claims.under_way("IPC"), what="the commit waits for the standby")
        session.execute("SELECT pg_cancel_backend(%s)", (claims.under_way("IPC")[0],))
        assert [reply.status for reply in held.finish().values()] == [503]
    finally:
        session.execute("ALTER SYSTEM RESET synchronous_standby_names")
        session.execute("SELECT pg_reload_conf()")
        held.finish()
    assert session.execute("SELECT agent FROM tf.lease WHERE job_id = %s", (job,)).fetchone() == (agents[0].agent,)


def to_submit(user, queue):
    """Submissions of every second kind, with a key, know themselves again by that."""
    return {name: functools.partial(user.post, "/v1/job", {"job_queue": queue, "name": name}, headers=headers)
            for n in range(AGENTS)
            for name, headers in [(f"job {n}", {"Idempotency-Key": new_name("key")} if n % 2 else None)]}


def check_submitted(session, replies, queue):
    """Each was made once, and its client knows which it is."""
    assert [reply.status for reply in replies.values()] == [200] * AGENTS
    rows = session.execute("SELECT j.name, j.id::text FROM tf.wait w JOIN tf.job j ON j.id = w.job_id"
                           " WHERE w.queue = %s", (queue,)).fetchall()
    assert sorted(rows) == sorted((name, reply.json()["job_id"]) for name, reply in replies.items())


def test_submissions_of_a_connection_that_dies_before_the_commit_are_made_again(own, server, user, submissions):
    queue = new_name()
    with locked(own.conninfo(DATABASE), "tf.definition") as held:
        submissions.gather(held, server, to_submit(user, queue))
        submissions.kill()
        wait_for(lambda: submissions.under_way("Lock"), what="the submission is made again")
    check_submitted(submissions.session, held.finish(), queue)


@pytest.mark.parametrize("action", ["drop", "cut"])
def test_submissions_whose_commit_is_not_heard_of_are_the_same_jobs(own, proxied, server, user, submissions, action):
    queue = new_name()
    with locked(own.conninfo(DATABASE), "tf.definition") as held:
        submissions.gather(held, server, to_submit(user, queue))
        meddling = proxied.proxy.meddle(Meddling(b"submit_jobs", action, 1))
    replies = held.finish()
    assert meddling.done == 1
    check_submitted(submissions.session, replies, queue)


def test_clients_are_told_when_nobody_knows_what_became_of_their_submissions(own, proxied, server, user, submissions):
    queue = new_name()
    with locked(own.conninfo(DATABASE), "tf.definition") as held:
        requests = to_submit(user, queue)
        submissions.gather(held, server, requests)
        meddling = proxied.proxy.meddle(Meddling(b"submit_jobs", "drop", 2))
    statuses = [reply.status for reply in held.finish().values()]
    assert meddling.done == 2 and sorted(statuses) == [200] + [503] * (AGENTS - 1)
    proxied.proxy.mend()
    again = {name: request() for name, request in requests.items() if request.keywords["headers"]}
    rows = submissions.session.execute("SELECT name, id::text FROM tf.job WHERE queue = %s AND name = ANY (%s)",
                                       (queue, list(again))).fetchall()
    assert sorted(rows) == sorted((name, reply.json()["job_id"]) for name, reply in again.items()), "no second jobs"
