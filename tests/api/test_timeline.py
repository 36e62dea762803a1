# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/job/{id}/timeline: the story of a job."""
import datetime
import uuid

import pytest

from caller import Caller, assert_refused, new_name
from events import Events
from server import Server
from wait import wait_for


@pytest.fixture
def job(user, queue):
    return user.submit(queue)


def story(caller, job, query=""):
    reply = caller.get(f"/v1/job/{job}/timeline{query}")
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"] == "application/json"
    return reply.json()


def words(entries):
    """What is special to each entry."""
    return [tuple(entry[key] for key in ("what", "attempt", "who", "why", "phase", "exit_code", "outcome")
                  if entry[key] is not None) for entry in entries]


def work(agent, job):
    agent.post(f"/v1/result/{job}", {"job_state": "setup"})
    agent.post(f"/v1/result/{job}", {"job_state": "test", "status": {"setup": 0}})
    agent.post(f"/v1/result/{job}", {"job_state": "complete", "status": {"setup": 0, "test": 3}})


def test_a_job_s_whole_life(user, agent, queue, job):
    told = story(user, job)
    assert [entry["what"] for entry in told] == ["submitted", "waiting"]
    assert told[1]["why"] == "no_agent"
    assert agent.claim(queue)["job_id"] == job
    work(agent, job)
    told = story(user, job)
    name = agent.agent
    assert words(told)[1:] == [
        ("claimed", 1, name), ("phase_started", 1, name, "setup"), ("phase_ended", 1, name, "setup", 0),
        ("phase_started", 1, name, "test"), ("phase_ended", 1, name, "test", 3), ("ended", 1, name, "failed")]
    assert told[0]["who"].startswith("contributor")
    times = [datetime.datetime.fromisoformat(entry["at"]) for entry in told]
    assert times == sorted(times)
    assert len({entry["id"] for entry in told}) == len(told)


def test_who_cancelled_it(user, anonymous, job):
    assert user.post(f"/v1/job/{job}/action", {"action": "cancel"}).status == 200
    last = story(anonymous, job)[-1]
    assert (last["what"], last["who"], last["outcome"]) == ("cancelled", story(user, job)[0]["who"], "cancelled")
    job = anonymous.submit("q")
    anonymous.post(f"/v1/job/{job}/action", {"action": "cancel"})
    assert words(story(anonymous, job)) == [("submitted", 0), ("cancelled", 0, "cancelled")]


def test_why_it_waits(user, agent, queue):
    def why(job):
        told = story(user, job)[-1]
        assert told["what"] == "waiting"
        assert user.get(f"/v1/job/{job}/status").json()["waiting_because"] == told["why"]
        return told["why"]

    job = user.submit(queue, test_data={"attachments": [{"agent": "a"}]})
    assert why(job) == "attachments"
    user.upload(f"/v1/job/{job}/attachments", b"x")
    assert why(job) == "no_agent"
    for state, reason in (("offline", "offline"), ("provision", "busy"), ("waiting", "turn")):
        agent.post(f"/v1/agents/data/{agent.agent}", {"queues": [queue], "state": state})
        assert why(job) == reason
    assert agent.claim(queue)["job_id"] == job
    assert user.get(f"/v1/job/{job}/status").json()["waiting_because"] is None


def test_it_comes_in_pages(user, agent, queue, job):
    agent.claim(queue)
    work(agent, job)
    whole = story(user, job)
    for limit in (1, 3, len(whole)):
        pages = list(user.pages(f"/v1/job/{job}/timeline?limit={limit}"))
        assert [entry for page in pages for entry in page] == whole
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_it_is_for_everybody(boss, manager, user, anonymous, agent, job):
    for caller in (boss, manager, user, anonymous, agent):
        assert story(caller, job)[0]["what"] == "submitted"


def test_unknown_and_malformed(user, job):
    assert user.get(f"/v1/job/{uuid.uuid4()}/timeline").status == 204
    assert_refused(user.get("/v1/job/abc/timeline"), 400)
    for query in ("limit=0", "limit=x", "limit=1001", "cursor=x", "cursor=61", "cursor=" + "1.2".encode().hex(),
                  "cursor=" + ("1." * 200 + "1").encode().hex()):
        assert_refused(user.get(f"/v1/job/{job}/timeline?{query}"), 422)


@pytest.fixture(scope="module")
def other(cluster, database, tmp_path_factory):
    """A second server on the same database."""
    made = Server(cluster, database, tmp_path_factory.mktemp("other"), "other").start()
    wait_for(lambda: "testflinger_listening 1" in made.get("/metrics").text, what="it listens")
    yield made
    assert made.stop() == 0, made.process.tail()


def watch(caller, job, last_id=None):
    return Events(caller, f"/v1/job/{job}/timeline", last_id)


def parked(server, count):
    return f"testflinger_http_requests_parked {count}\n" in server.get("/metrics").text


def until(events, what):
    """Reads on to the first entry that is called so; what came, and it."""
    told = []
    for event in events:
        told.append(event.data)
        if event.data["what"] == what:
            return told
    raise AssertionError(f"{told} ended without {what}")


def test_who_watches_is_told_at_once_to_the_end(user, agent, other, queue, job):
    far = Caller(other, agent.auth, agent.agent)
    with watch(user, job) as stream:
        assert stream.reply.status == 200
        assert stream.reply.headers["Content-Type"] == "text/event-stream"
        assert stream.reply.headers["Cache-Control"] == "no-store"
        events = iter(stream)
        told = until(events, "waiting")
        assert stream.retry_ms == 3000
        assert far.claim(queue)["job_id"] == job
        told += until(events, "claimed")
        agent.post(f"/v1/result/{job}", {"job_state": "setup"})
        told += until(events, "phase_started")
        far.post(f"/v1/result/{job}", {"job_state": "complete", "status": {"setup": 0}})
        told += until(events, "ended")
        assert not list(events), "and that is the end of the stream"
    assert [entry for entry in told if entry["what"] != "waiting"] == story(user, job)


def test_the_id_of_an_entry_is_that_of_its_event(user, job):
    user.post(f"/v1/job/{job}/action", {"action": "cancel"})
    with watch(user, job) as stream:
        assert [(event.id, event.data["id"]) for event in stream] == [(entry["id"],) * 2 for entry in story(user, job)]


def test_who_comes_back_goes_on_where_they_were(user, agent, queue, job):
    agent.claim(queue)
    work(agent, job)
    whole = story(user, job)
    for number, entry in enumerate(whole):
        with watch(user, job, last_id=entry["id"]) as stream:
            if number == len(whole) - 1:
                assert stream.reply.status == 204, "a browser does not ask again then"
            else:
                assert [event.data for event in stream] == whole[number + 1:]


def test_why_it_waits_is_told_when_it_changes(user, agent, queue):
    agent = agent.named(new_name("idle"))
    job = user.submit(queue, test_data={"attachments": [{"agent": "a"}]})
    with watch(user, job) as stream:
        events = iter(stream)
        assert until(events, "waiting")[-1]["why"] == "attachments"
        user.upload(f"/v1/job/{job}/attachments", b"x")
        assert [entry["what"] for entry in until(events, "waiting")] == ["ready", "waiting"]
        agent.post(f"/v1/agents/data/{agent.agent}", {"queues": [queue], "state": "waiting"})
        told = until(events, "waiting")
        assert [(entry["what"], entry["why"]) for entry in told] == [("waiting", "turn")]


def test_a_watcher_that_leaves_is_noticed(user, server, job):
    stream = watch(user, job)
    until(iter(stream), "waiting")
    wait_for(lambda: parked(server, 1), what="nothing is new")
    stream.close()
    wait_for(lambda: parked(server, 0), what="the stream is given up")


def test_silence_is_broken_now_and_then(user, job):
    with watch(user, job) as stream:
        blocks = stream.blocks()
        while next(blocks) != [": nothing new"]:
            pass


def test_a_server_that_stops_ends_the_stream_and_another_one_goes_on(cluster, database, tmp_path, user, job):
    made = Server(cluster, database, tmp_path, "stopping").start()
    with watch(Caller(made, user.auth), job) as stream:
        events = iter(stream)
        last = until(events, "waiting")[-1]
        assert made.stop() == 0
        assert not list(events), "a complete answer, not a broken one"
    user.post(f"/v1/job/{job}/action", {"action": "cancel"})
    with watch(user, job, last_id=last["id"]) as stream:
        assert [event.data["what"] for event in stream] == ["cancelled"]


def test_what_cannot_be_watched(user, job):
    path = f"/v1/job/{job}/timeline"
    events = {"Accept": "text/html, text/event-stream;q=0.9"}
    assert user.get(f"/v1/job/{uuid.uuid4()}/timeline", headers=events).status == 204
    for last in ("x", "1", "1.2", "1.2.3.4", "1.2.x", "9" * 40 + ".1.1", "\xff"):
        assert_refused(user.get(path, headers={**events, "Last-Event-ID": last}), 400)
    assert user.request("HEAD", path, headers=events).headers["Content-Type"] == "text/event-stream"
    for accept in ("*/*", "text/event-streams", "application/json"):
        assert isinstance(user.get(path, headers={"Accept": accept}).json(), list)
