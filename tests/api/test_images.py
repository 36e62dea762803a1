# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /v1/agents/images, GET /v1/agents/images/{queue}."""
import urllib.parse

import pytest

from caller import assert_refused, new_name


def images_of(caller, queue):
    reply = caller.get("/v1/agents/images/" + urllib.parse.quote(queue, safe=""))
    assert reply.status == 200, reply
    return reply.json()


def post(caller, images):
    reply = caller.post("/v1/agents/images", images)
    assert (reply.status, reply.text) == (200, "OK")


def test_images_are_replaced_queue_by_queue(agent, manager, boss, user, anonymous):
    first, second = new_name(), new_name() + " q.1$\u2603"
    assert images_of(user, first) == {}
    post(agent, {first: {"stable": "url: http://x.test/0", "latest": "url: \u2603"}, second: {}})
    assert images_of(anonymous, first) == {"stable": "url: http://x.test/0", "latest": "url: \u2603"}
    assert images_of(user, second) == {}
    post(manager, {second: {"a": "b"}})
    post(boss, {})
    post(boss, {first: {"new": ""}})
    assert (images_of(user, first), images_of(user, second)) == ({"new": ""}, {"a": "b"})


def test_a_queue_with_images_is_advertised(agent, user, queue):
    post(agent, {queue: {}})
    assert user.get("/v1/agents/queues").json()[queue] == ""
    agent.post("/v1/agents/queues", {queue: "described"})
    post(agent, {queue: {"a": "b"}})
    assert user.get("/v1/agents/queues").json()[queue] == "described"


@pytest.mark.parametrize("images", [
    "x", None, 5, [{"a": "b"}], {"a": 5}, {"a": None}, {"a": {"url": "x"}}, {"a": "b\0"}, {"": "x"},
    {"$a": "x"}, {"a.b": "x"}, {"a\0b": "x"}, {"fine": "x", "a\0": "y"}])
def test_malformed_images(agent, user, queue, images):
    good = new_name()
    assert_refused(agent.post("/v1/agents/images", {good: {"a": "b"}, queue: images}), 422, {"_schema": True})
    assert (images_of(user, queue), images_of(user, good)) == ({}, {})


@pytest.mark.parametrize("body", [[], {"": {}}, {"q" * 1001: {}}, {"q\0": {}}])
def test_malformed_lists(agent, body):
    assert_refused(agent.post("/v1/agents/images", body), 422, {"_schema": True})


def test_an_empty_body_changes_nothing(agent):
    assert agent.post("/v1/agents/images").status == 200
    assert agent.get("/v1/agents/images").status == 405


def test_who_may(agent, user, anonymous, queue):
    for caller in (user, anonymous):
        assert_refused(caller.post("/v1/agents/images", {}), 403)
    assert_refused(agent.get(f"/v1/agents/images/{queue}"), 403)
    assert_refused(user.get("/v1/agents/images/" + "q" * 1001), 422)
