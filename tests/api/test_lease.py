# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /v1/job/{id}/lease, and the header Testflinger-Lease of everything about a job."""
import concurrent.futures
import contextlib
import re
import uuid

import psycopg
import pytest

from caller import assert_refused
from conftest import of_role
from server import Server
from wait import wait_for

FRAGMENT = {"fragment_number": 0, "timestamp": "2026-01-31T12:34:56Z", "phase": "setup",
            "log_data": "x"}


@pytest.fixture(scope="module")
def server(cluster, database, receiver, tmp_path_factory):
    where = tmp_path_factory.mktemp("lease")
    (where / "token").write_text("a-token-for-the-receiver\n")
    made = Server(cluster, database, where, bcrypt_cost=4, webhook_base_url=receiver.url + "/",
                  webhook_token_file=str(where / "token")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


class Lease:
    """A claimed job, seen by the agent that has it and in the database."""

    def __init__(self, cluster, database, agent, job, token):
        self.cluster, self.database = cluster, database
        self.agent, self.job, self.token = agent, job, token

    def sql(self, what, change=False):
        text = f"UPDATE tf.lease SET {what}" if change else f"SELECT {what} FROM tf.lease"
        return self.cluster.psql(f"{text} WHERE job_id = '{self.job}'", self.database)

    def grow_old(self):
        """Almost over, and never heard of."""
        self.sql("lease_until = now() + interval '5 s', confirmed = NULL", change=True)

    def was_renewed(self):
        return self.sql("lease_until > now() + interval '30 s'") == "t"

    def was_confirmed(self):
        return self.sql("confirmed IS NOT NULL") == "t"

    def renew(self, caller=None, token=True):
        headers = {"Testflinger-Lease": self.token} if token else {}
        return (caller or self.agent).post(f"/v1/job/{self.job}/lease", headers=headers)


@pytest.fixture
def lease(cluster, database, user, agent, queue):
    job = user.submit(queue)
    claimed = agent.get(f"/v1/job?queue={queue}&lease=60&boot=b1").json()
    made = Lease(cluster, database, agent, job, claimed["lease"]["token"])
    made.grow_old()
    return made


# name: what an agent asks and posts about a job.  Each is told apart by what it is answered.
ABOUT = {
    "lease": lambda who, job, url, how: who.post(f"/v1/job/{job}/lease", **how),
    "result": lambda who, job, url, how: who.post(f"/v1/result/{job}", {"job_state": "setup"}, **how),
    "state": lambda who, job, url, how: who.get(f"/v1/result/{job}", **how),
    "status": lambda who, job, url, how: who.get(f"/v1/job/{job}/status", **how),
    "output": lambda who, job, url, how: who.post(f"/v1/result/{job}/log/output", FRAGMENT, **how),
    "serial": lambda who, job, url, how: who.post(f"/v1/result/{job}/log/serial", FRAGMENT, **how),
    "artifact": lambda who, job, url, how: who.upload(f"/v1/result/{job}/artifact", b"x", **how),
    "attachments": lambda who, job, url, how: who.get(f"/v1/job/{job}/attachments", **how),
    "events": lambda who, job, url, how: who.post(
        f"/v1/job/{job}/events", {"job_status_webhook": url + "/200"}, **how),
}
every_request = pytest.mark.parametrize("name", ABOUT)


@every_request
def test_whatever_its_agent_asks_with_the_token_keeps_the_job(lease, agent, receiver, name):
    reply = ABOUT[name](agent, lease.job, receiver.url, {"headers": {"Testflinger-Lease": lease.token}})
    assert reply.status == (204 if name == "attachments" else 200), reply
    assert lease.was_confirmed() and lease.was_renewed()


@every_request
@pytest.mark.parametrize("token", [str(uuid.UUID(int=1)), "rubbish", ""])
def test_a_stale_token_is_refused_everywhere(lease, agent, receiver, name, token):
    reply = ABOUT[name](agent, lease.job, receiver.url, {"headers": {"Testflinger-Lease": token}})
    assert_refused(reply, 409)
    assert not lease.was_confirmed() and not lease.was_renewed()


@every_request
def test_the_name_alone_does_not_keep_a_lease(lease, agent, receiver, name):
    ABOUT[name](agent, lease.job, receiver.url, {})
    assert not lease.was_renewed()


@every_request
def test_users_and_other_agents_keep_nothing(lease, boss, user, anonymous, agent, receiver, name):
    for who, headers in [(boss, True), (user, True), (anonymous, True), (agent.named("dut-2"), False),
                         (agent.named(None), False)]:
        how = {"headers": {"Testflinger-Lease": lease.token}} if headers else {}
        ABOUT[name](who, lease.job, receiver.url, how)
        assert not lease.was_confirmed() and not lease.was_renewed()


def test_a_renewal_tells_how_the_job_stands(lease, user):
    reply = lease.renew()
    assert reply.status == 200
    answer = reply.json()
    assert answer.pop("expires_at").startswith("20")
    assert answer == {"job_state": "running", "cancelled": False}
    user.post(f"/v1/job/{lease.job}/action", {"action": "cancel"})
    assert lease.renew().json() == {"job_state": "cancelled", "cancelled": True, "expires_at": None}


def test_a_body_does_not_matter(lease, agent):
    for body in (b"", b"{}", b"rubbish"):
        reply = agent.post(f"/v1/job/{lease.job}/lease", body,
                           headers={"Testflinger-Lease": lease.token})
        assert reply.status == 200


def test_a_job_given_to_another_is_lost(lease, agent, queue):
    lease.cluster.psql("UPDATE tf.lease_rule SET value = most WHERE name = 'brake_least';"  # what other tests left
                       "SELECT tfx.shift_leases()", lease.database)  # no outage until now
    lease.sql("lease_until = now(), confirmed = now()", change=True)
    wait_for(lambda: lease.sql("1") == "", what="the server ends the lease")
    assert_refused(lease.renew(), 409)  # it waits again
    other = agent.named("dut-2")
    claimed = other.get(f"/v1/job?queue={queue}&lease=60&boot=b2").json()
    assert claimed["job_id"] == lease.job and claimed["lease"]["attempt"] == 2
    assert_refused(lease.renew(), 409)
    lease.token = claimed["lease"]["token"]
    assert lease.renew(other).status == 200


def test_an_agent_without_leases_may_renew_by_its_name(lease, agent, user, queue):
    job = user.submit(queue)
    assert agent.claim(queue)["job_id"] == job
    plain = Lease(lease.cluster, lease.database, agent, job, None)
    plain.grow_old()
    assert_refused(plain.renew(agent.named("dut-2"), token=False), 409)
    assert not plain.was_renewed()
    assert plain.renew(token=False).status == 200
    assert plain.was_confirmed() and plain.was_renewed()


def test_what_is_refused(server, agent, boss, manager, user, anonymous, lease):
    assert_refused(agent.post(f"/v1/job/{uuid.uuid4()}/lease"), 404)
    assert_refused(agent.post("/v1/job/abc/lease"), 400)
    for who in (boss, manager, user, anonymous, of_role(server, "contributor")):
        assert_refused(lease.renew(who), 403)
    assert not lease.was_renewed()


def counted(server, what):
    return int(re.search(rf'^testflinger_{what}_total{{lane="renew"}} (\d+)$', server.get("/metrics").text,
                         re.MULTILINE).group(1))


def test_many_at_once_have_an_end_each_of_their_own(server, lease, agent, user, queue):
    """Made together: what is wrong with one does not matter to the others."""
    def ask(job, who, token):
        headers = {"Testflinger-Lease": token} if token else {}
        return who.post(f"/v1/job/{job}/lease", headers=headers)

    odd = [agent.named(name) for name in ('"{}"', '"a\\"b\\\\,c"', '"NULL"', "plain")]
    asked = [(200, lease.job, agent, lease.token), (409, lease.job, agent, str(uuid.uuid4())),
             (404, str(uuid.uuid4()), agent, None), (409, lease.job, agent, "rubbish"), (400, "abc", agent, None)]
    for who in odd:
        asked.append((200, user.submit(queue), who, None))
        assert who.claim(queue)["job_id"] == asked[-1][1]
    cancelled = user.submit(queue)
    token = agent.named("x").get(f"/v1/job?queue={queue}&lease=60").json()["lease"]["token"]
    user.post(f"/v1/job/{cancelled}/action", {"action": "cancel"})
    asked.append((200, cancelled, agent.named("x"), token))
    asked *= 5
    batches, requests = counted(server, "batches"), counted(server, "batched_requests")
    with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
        replies = list(pool.map(lambda one: ask(*one[1:]), asked))
    for (status, job, *_), reply in zip(asked, replies):
        assert reply.status == status, (job, reply)
        if status == 200:
            assert reply.json()["cancelled"] == (job == cancelled), reply
    assert lease.was_confirmed() and lease.was_renewed()
    assert counted(server, "batched_requests") - requests == len(asked)
    assert counted(server, "batches") - batches < len(asked)


@contextlib.contextmanager
def locked(cluster, database, job):
    with psycopg.connect(cluster.conninfo(database)) as session:
        session.execute("SELECT FROM tf.lease WHERE job_id = %s FOR UPDATE", (job,))
        yield


def test_a_locked_lease_is_renewed_when_it_is_free(cluster, database, server, lease, agent, user, queue, pool):
    other = agent.named("beside-it")
    job = user.submit(queue)
    assert other.claim(queue)["job_id"] == job
    with locked(cluster, database, lease.job):
        waiting = pool.submit(lease.renew)
        wait_for(lambda: server.parked() == 1, what="it waits")
        assert other.post(f"/v1/job/{job}/lease").status == 200
    reply = waiting.result(30)
    assert (reply.status, reply.json()["job_state"]) == (200, "running")


def test_a_lease_that_stays_locked_is_for_its_agent_to_ask_for_again(cluster, database, lease):
    with locked(cluster, database, lease.job):
        reply = lease.renew()
    assert (reply.status, "Retry-After" in reply.headers) == (503, True)
