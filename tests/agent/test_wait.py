# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims that wait at the server, and the pace of those that do not."""
import re
import signal

import pytest

from wait import wait_for

CLAIM = "/v1/job"
OWN = "/v1/agents/data/agent-1"


def waiting_claims(fake):
    """Claims that were asked to wait and are not answered yet."""
    return [r for r in fake.seen("GET", CLAIM) if "wait" in r.query and r.status is None]


@pytest.fixture
def parked(fake, make_agent):
    """An agent whose claim waits at the server."""
    fake.offer(wait_s=300)
    agent = make_agent(test_command="true")
    wait_for(lambda: waiting_claims(fake))
    return agent


def test_a_claim_waits_where_the_server_offers_it(fake, parked):
    assert waiting_claims(fake)[0].query["wait"] == ["50"]
    looked = len(fake.seen("GET", OWN))
    wait_for(lambda: len(fake.seen("GET", OWN)) > looked + 1)
    assert len(fake.seen("GET", CLAIM)) == 1, "the record is looked at meanwhile, the claim stays"
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert len(fake.seen("GET", CLAIM)) <= 2
    assert parked.stop() == 0


@pytest.mark.parametrize("offered, wanted, asked", [(7, 300, "7"), (300, 20, "20")])
def test_nobody_is_asked_to_wait_longer_than_both_want(fake, make_agent, offered, wanted, asked):
    fake.offer(wait_s=offered)
    make_agent(wait_s=wanted)
    wait_for(lambda: waiting_claims(fake))
    assert waiting_claims(fake)[0].query["wait"] == [asked]


def test_after_a_wait_in_vain_the_next_claim_comes_at_once(fake, make_agent):
    fake.offer(wait_s=1)
    make_agent(polling_interval=3600)
    wait_for(lambda: len(fake.seen("GET", CLAIM)) > 3)


def test_a_server_that_offers_to_wait_and_does_not_is_not_asked_all_the_time(fake, make_agent):
    fake.offer(wait_s=300)
    fake.overrule("GET", CLAIM, 204)
    agent = make_agent(polling_interval=3600)
    wait_for(lambda: len(fake.seen("GET", CLAIM)) == 2)
    wait_for(lambda: len(fake.seen("GET", OWN)) == 2)
    assert agent.stop() == 0
    assert len(fake.seen("GET", CLAIM)) == 2


@pytest.mark.parametrize("state", ["offline", "maintenance"])
@pytest.mark.parametrize("told", [True, False])
def test_an_agent_set_offline_gives_its_waiting_claim_up(fake, make_agent, state, told):
    """told: the server ends the claim by itself, else the agent has to notice."""
    fake.offer(wait_s=300)
    fake.is_away = (lambda: fake.agent.get("state") == state) if told else lambda: False
    make_agent(test_command="true")
    wait_for(lambda: waiting_claims(fake))
    fake.agent.update(state=state)
    wait_for(lambda: not waiting_claims(fake))
    claims = len(fake.seen("GET", CLAIM))
    job = fake.add_job(test_data={"a": 1})
    looked = len(fake.seen("GET", OWN))
    wait_for(lambda: len(fake.seen("GET", OWN)) > looked + 2)
    assert len(fake.seen("GET", CLAIM)) == claims and job.state == "waiting"
    fake.agent["state"] = "waiting"
    fake.wait_complete(job)


def test_a_restart_wished_ends_a_waiting_claim(fake, parked):
    fake.is_away = lambda: False
    fake.agent["state"] = "restart"
    wait_for(lambda: not parked.process.running())
    assert parked.process.popen.returncode == 1


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 0), (signal.SIGINT, 0),
                                            (signal.SIGUSR1, 1)])
def test_a_signal_ends_a_waiting_claim_at_once(fake, parked, number, status):
    assert parked.stop(number) == status
    wait_for(lambda: not waiting_claims(fake))


def test_other_queues_are_asked_for_when_restrictions_change(fake, make_agent):
    fake.offer(wait_s=300)
    make_agent(job_queues=["q1", "q2"])
    wait_for(lambda: waiting_claims(fake))
    assert waiting_claims(fake)[0].query["queue"] == ["q1", "q2"]
    fake.agent["restricted_to"] = {"q2": ["owner"]}
    wait_for(lambda: [r.query["queue"] for r in waiting_claims(fake)] == [["q2"]])


def test_a_server_that_offers_it_no_more_is_polled(fake, make_agent):
    fake.offer(wait_s=1)
    make_agent()
    wait_for(lambda: fake.seen("GET", CLAIM) and "wait" in fake.seen("GET", CLAIM)[-1].query)
    fake.offer(wait_s=None)
    wait_for(lambda: "wait" not in fake.seen("GET", CLAIM)[-1].query)


def pauses(agent):
    """After claims, in seconds."""
    return [int(ms) / 1000 for ms in re.findall(r"event=claim status=\d+ pause_ms=(\d+)", agent.process.output())]


@pytest.mark.parametrize("interval, told, least, most", [(1, 20, 20, 25), (1, 100000, 300, 375), (40, 20, 40, 40)])
def test_the_server_may_ask_for_longer_pauses_within_bounds(fake, make_agent, interval, told, least, most):
    fake.offer(retry_after=told)
    agent = make_agent(polling_interval=interval, logging_level="DEBUG")
    wait_for(lambda: pauses(agent))
    assert least <= pauses(agent)[0] <= most
    fake.offer(retry_after=None)
    assert agent.stop() == 0


def test_the_pace_that_the_server_sets_counts_for_claims_that_waited_too(fake, make_agent):
    fake.offer(wait_s=1, retry_after=3600)
    agent = make_agent(logging_level="DEBUG")
    wait_for(lambda: "state=pause" in agent.process.output())
    assert len(fake.seen("GET", CLAIM)) == 1
    assert agent.stop() == 0


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_when_to_come_back(fake, make_agent, status):
    fake.overrule("GET", CLAIM, status, headers={"Retry-After": "1"}, times=2)
    make_agent(polling_interval=3600, test_command="true")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)


def test_a_post_is_repeated_when_the_server_says(fake, make_agent):
    fake.overrule("POST", "/v1/result/[^/]*", 503, headers={"Retry-After": "1"}, times=2)
    make_agent(test_command="true", retry_pause_ms=1)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.states == ["test", "complete"]
