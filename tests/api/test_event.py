# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /v1/job/{id}/events."""
import socket
import uuid

import pytest

from caller import Caller, assert_refused, new_name
from server import Server

EVENT = {"event_name": "setup_start", "timestamp": "any text", "detail": "\u00e9"}


@pytest.fixture(scope="module")
def server(cluster, database, receiver, tmp_path_factory):
    where = tmp_path_factory.mktemp("events")
    (where / "token").write_text("a-token-for-the-receiver\n")
    made = Server(cluster, database, where, bcrypt_cost=4, webhook_base_url=receiver.url + "/",
                  webhook_token_file=str(where / "token")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture
def job(user, queue):
    return user.submit(queue)


def post(caller, job, webhook, **fields):
    return caller.post(f"/v1/job/{job}/events", {"job_status_webhook": webhook, **fields})


def test_events_reach_the_webhook(agent, receiver, job):
    path = f"/200/{job}?a=b"
    reply = post(agent, job, receiver.url + path, agent_id="dut-1", job_queue="q", events=[EVENT])
    assert (reply.status, reply.text) == (200, "200")
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert receiver.json_at(path) == {"agent_id": "dut-1", "job_queue": "q", "events": [EVENT]}
    method, _, headers, _ = receiver.at(path)[0]
    assert method == "PUT"
    assert headers["Authorization"] == "Bearer a-token-for-the-receiver"
    assert headers["Content-Type"] == "application/json"
    assert "Cookie" not in headers


def test_the_address_alone_is_enough(agent, receiver, job):
    assert post(agent, job, f"{receiver.url}/200/{job}").status == 200
    assert receiver.json_at(f"/200/{job}") == {}


@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 409, 500, 503])
def test_the_webhook_s_status_is_handed_back(agent, receiver, job, status):
    reply = post(agent, job, f"{receiver.url}/{status}/{job}")
    assert reply.status == status
    assert reply.text == ("" if status in (204, 304) else str(status))
    assert len(receiver.at(f"/{status}/{job}")) == 1


def test_redirects_are_not_followed(agent, receiver, job):
    before = len(receiver.at("/200/elsewhere"))
    reply = post(agent, job, f"{receiver.url}/302/{job}")
    assert reply.status == 302
    assert "Location" not in reply.headers
    assert len(receiver.at("/200/elsewhere")) == before


@pytest.mark.parametrize("status", [401, 403])
def test_a_webhook_that_refuses_the_server_is_the_server_s_fault(agent, receiver, job, status):
    assert_refused(post(agent, job, f"{receiver.url}/{status}/{job}"), 500)


@pytest.mark.parametrize("kind, status", [("cut", 502), ("mute", 504)])
def test_a_webhook_that_does_not_answer_is_tried_twice(agent, receiver, job, kind, status):
    assert_refused(post(agent, job, f"{receiver.url}/{kind}/{job}"), status)
    assert len(receiver.at(f"/{kind}/{job}")) == 2


def test_an_answer_without_end_is_cut(agent, receiver, job):
    assert_refused(post(agent, job, f"{receiver.url}/big/{job}"), 502)


@pytest.mark.parametrize("swap", [
    lambda url: "http://elsewhere.example/x",
    lambda url: url.replace("http:", "https:") + "/x",
    lambda url: "http://127.0.0.1:1/x",
    lambda url: url.replace("127.0.0.1", "localhost") + "/x",
    lambda url: url.replace("//", "//user@") + "/x",
    lambda url: url.replace("//", "//user:word@") + "/x",
    lambda url: url + "@elsewhere.example/x",
])
def test_other_places_are_out_of_bounds(agent, receiver, job, swap):
    before = len(receiver.seen)
    assert_refused(post(agent, job, swap(receiver.url)), 403)
    assert len(receiver.seen) == before


@pytest.mark.parametrize("body, fields", [
    ({}, {"job_status_webhook": True}),
    ({"job_status_webhook": "nowhere"}, {"job_status_webhook": True}),
    ({"job_status_webhook": 7, "agent_id": 7, "x": 1},
     {"job_status_webhook": True, "agent_id": True, "x": True}),
    ({"job_status_webhook": "http://a.example", "events": [{}, 1, {**EVENT, "x": 1}]},
     {"events": {"0": {"event_name": True, "timestamp": True}, "1": {"_schema": True},
                 "2": {"x": True}}}),
])
def test_the_body_is_checked_before_the_id(agent, body, fields):
    for job in ("abc", uuid.uuid4()):
        assert_refused(agent.post(f"/v1/job/{job}/events", body), 422, fields)


def test_the_order_of_the_other_checks(agent, receiver):
    assert_refused(post(agent, "abc", "http://elsewhere.example/x"), 400)
    assert_refused(post(agent, uuid.uuid4(), "http://elsewhere.example/x"), 404)


def test_it_is_for_agents_alone(boss, manager, user, anonymous, receiver, job):
    for caller in (boss, manager, user, anonymous):
        assert_refused(post(caller, job, receiver.url + "/200"), 403)


def test_a_stale_lease_is_a_conflict(agent, receiver, job):
    reply = agent.post(f"/v1/job/{job}/events", {"job_status_webhook": receiver.url + "/200"},
                       headers={"Testflinger-Lease": str(uuid.uuid4())})
    assert_refused(reply, 409)


def test_events_keep_the_lease_of_their_job(agent, user, cluster, database, receiver, queue):
    job = user.submit(queue)
    claimed = agent.get(f"/v1/job?queue={queue}&lease=60").json()
    cluster.psql(f"UPDATE tf.lease SET lease_until = now() + interval '9 s' WHERE job_id = '{job}'", database)
    agent.post(f"/v1/job/{job}/events", {"job_status_webhook": receiver.url + "/200"},
               headers={"Testflinger-Lease": claimed["lease"]["token"]})
    assert cluster.psql("SELECT confirmed IS NOT NULL AND lease_until > now() + interval '30 s' FROM tf.lease "
                        f"WHERE job_id = '{job}'", database) == "t"


def test_without_a_receiver_there_is_nowhere_to_go(cluster, database, server, agent, job,
                                                   tmp_path_factory):
    where = tmp_path_factory.mktemp("bare")
    with socket.socket() as closed:  # bound, but nobody listens there
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        for name, options, status in [("none", {}, 500), ("gone", {"webhook_base_url": nowhere}, 502)]:
            bare = Server(cluster, database, where, name, **options).start()
            caller = Caller(bare, agent.auth, new_name("dut"))
            assert_refused(post(caller, job, nowhere + "/x"), status)
            assert_refused(post(caller, uuid.uuid4(), nowhere + "/x"), 404)
            assert bare.stop() == 0
