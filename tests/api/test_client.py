# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/client-permissions; GET, PUT and DELETE /v1/client-permissions/{id}."""
import urllib.parse

import pytest

from caller import Caller, assert_refused, new_name

SECRET = "a-secret-of-enough-length"


@pytest.fixture
def client():
    return new_name("client")


def path_of(client):
    return "/v1/client-permissions/" + urllib.parse.quote(client, safe="")


def put(caller, client, **fields):
    reply = caller.put(path_of(client), fields)
    assert reply.status == 200, reply
    assert reply.text.strip()


def test_a_client_is_made_changed_and_read(boss, manager, client):
    put(boss, client, client_secret=SECRET, role="contributor", email="a@example.com",
        max_priority={"*": 1, "q": 5}, max_reservation_time={"q": "1000"})
    want = {"client_id": client, "role": "contributor", "email": "a@example.com",
            "max_priority": {"*": 1, "q": 5}, "max_reservation_time": {"q": 1000}}
    assert boss.get(path_of(client)).json() == want
    put(manager, client, max_priority={"x": 2})
    put(boss, client)
    want["max_priority"] = {"x": 2}
    assert manager.get(path_of(client)).json() == want
    assert want in boss.get("/v1/client-permissions").json()


def test_a_hash_is_never_shown(boss):
    text = boss.get("/v1/client-permissions").text
    assert "testflinger-admin" in text and "$2b$" not in text and "secret" not in text


def test_the_least_is_a_secret(boss, server, client):
    assert_refused(boss.put(path_of(client), {"role": "contributor"}), 400)
    put(boss, client, client_secret="x" * 15)
    assert boss.get(path_of(client)).json() == {"client_id": client, "role": "contributor"}
    assert server.token(client, "x" * 15)


def test_a_new_secret_replaces_the_old(boss, server, client):
    put(boss, client, client_secret=SECRET)
    put(boss, client, client_secret=SECRET + "2")
    assert_refused(server.post("/v1/oauth2/token", auth=(client, SECRET)), 401)
    assert server.token(client, SECRET + "2")


def test_only_admins_delete(boss, manager, client):
    put(boss, client, client_secret=SECRET)
    assert_refused(manager.delete(path_of(client)), 403)
    reply = boss.delete(path_of(client))
    assert (reply.status, reply.text) == (200, "OK")
    assert_refused(boss.get(path_of(client)), 404)
    assert_refused(boss.delete(path_of(client)), 404)


def test_the_system_admin_cannot_be_touched(boss):
    for reply in (boss.put(path_of("testflinger-admin"), {"email": "a@example.com"}),
                  boss.put(path_of("testflinger-admin"), {"client_secret": SECRET}),
                  boss.delete(path_of("testflinger-admin"))):
        assert_refused(reply, 422)


def test_nobody_reaches_above_itself(boss, manager, client):
    put(boss, client, client_secret=SECRET, role="admin")
    assert_refused(manager.put(path_of(client), {"email": "a@example.com"}), 403)
    assert_refused(manager.put(path_of(new_name("client")), {"client_secret": SECRET, "role": "admin"}),
                   403)
    put(manager, new_name("client"), client_secret=SECRET, role="manager")


@pytest.mark.parametrize("who", ["user", "agent", "anonymous"])
def test_others_may_not_even_look(request, who, client):
    caller = request.getfixturevalue(who)
    for reply in (caller.get("/v1/client-permissions"), caller.get(path_of(client)),
                  caller.put(path_of(client), {"bad": 1}), caller.delete(path_of(client))):
        assert_refused(reply, 403)


@pytest.mark.parametrize("body, complaints", [
    ({"client_secret": "x" * 14}, {"client_secret": True}),
    ({"client_secret": "x" * 73}, {"client_secret": True}),
    ({"client_secret": "x" * 20 + "\0"}, {"client_secret": True}),
    ({"client_secret": None}, {"client_secret": True}),
    ({"role": "king"}, {"role": True}), ({"role": "ADMIN"}, {"role": True}), ({"role": 1}, {"role": True}),
    ({"max_priority": []}, {"max_priority": True}),
    ({"max_priority": {"*": "high", "q": 1}}, {"max_priority": {"*": {"value": True}}}),
    ({"max_reservation_time": {"*": "1h"}}, {"max_reservation_time": {"*": {"value": True}}}),
    ({"email": "nobody"}, {"email": True}), ({"email": "a@b"}, {"email": True}),
    ({"allowed_queues": ["q"]}, {"allowed_queues": True}), ({"client_id": "x"}, {"client_id": True}),
    ([], {"_schema": True}),
])
def test_malformed_permissions(boss, client, body, complaints):
    assert_refused(boss.put(path_of(client), body), 422, complaints)
    assert_refused(boss.get(path_of(client)), 404)


@pytest.mark.parametrize("suffix", [" a@b.c", "\u2603", "'; --", "%2F"])
def test_odd_names(boss, server, client, suffix):
    put(boss, client + suffix, client_secret=SECRET)
    assert boss.get(path_of(client + suffix)).json()["client_id"] == client + suffix
    job = Caller(server, server.token(client + suffix, SECRET)).submit("q")
    assert job


def test_names_are_bounded(boss):
    assert_refused(boss.put(path_of("c" * 1001), {"client_secret": SECRET}), 422)
    put(boss, "c" * 1000, client_secret=SECRET)
