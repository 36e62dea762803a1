# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /v1/oauth2/token, /v1/oauth2/refresh and /v1/oauth2/revoke."""
import base64
import json

import pytest

from caller import Caller, assert_refused, new_name

SECRET = "a-client-secret-of-the-tests"


def claims_of(token):
    head, body, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
    return json.loads(base64.urlsafe_b64decode(body + "=="))


def log_in(server, client_id, secret=SECRET):
    reply = server.post("/v1/oauth2/token", auth=(client_id, secret))
    assert reply.status == 200, reply
    return reply.json()


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text).decode()}


def test_a_secret_buys_two_tokens(server, queue):
    client, _ = server.add_client(new_name("client"), "contributor", max_priority={"*": 3, queue: 50},
                                  max_reservation_time={"*": 86400}, email="person@example.com")
    answer = log_in(server, client)
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    assert len(answer["refresh_token"]) == 48
    claims = claims_of(answer["access_token"])
    assert claims["sub"] == "access_token"
    assert claims["exp"] - claims["iat"] == 600
    assert claims["permissions"] == {
        "client_id": client, "role": "contributor", "max_priority": {"*": 3, queue: 50},
        "max_reservation_time": {"*": 86400}, "email": "person@example.com"}


def test_the_body_does_not_matter(server):
    client, _ = server.add_client(new_name("client"), "agent")
    for body, kind in [(b"grant_type=client_credentials", "application/x-www-form-urlencoded"),
                       (b"{oops", "application/json"), (b"", "text/plain")]:
        reply = server.post("/v1/oauth2/token", body, headers={"Content-Type": kind},
                            auth=(client, SECRET))
        assert reply.status == 200, reply


def test_wrong_credentials_are_refused(server):
    client, _ = server.add_client(new_name("client"), "agent")
    for headers in [{}, {"Authorization": ""}, {"Authorization": "Basic"}, {"Authorization": "Basic "},
                    {"Authorization": "Basic !!!"}, {"Authorization": "Bearer " + "x" * 30},
                    {"Authorization": "Digest x"}, basic(b"no colon"), basic(b":"),
                    basic(client.encode() + b":"), basic(client.encode() + b":wrong"),
                    basic(b"nobody:" + SECRET.encode()), basic(b":" + SECRET.encode()),
                    basic(client.encode() + b"\0:" + SECRET.encode()),
                    basic(client.encode() + b":" + SECRET.encode() + b"\0"),
                    basic(b"\xff\xfe:" + SECRET.encode()), basic(b"x" * 5000 + b":y"),
                    basic(client.encode() + b":" + b"x" * 100)]:
        assert_refused(server.post("/v1/oauth2/token", headers=headers), 401)


def test_ids_may_have_odd_characters_but_no_colon(server):
    client, _ = server.add_client(new_name("client") + " \u2603@b.c", "contributor",
                                  secret="colons: are fine: here")
    assert log_in(server, client, "colons: are fine: here")


def test_a_client_without_a_role_is_a_contributor(server, boss):
    client = new_name("client")
    assert boss.put(f"/v1/client-permissions/{client}", {"client_secret": SECRET}).status == 200
    token = log_in(server, client)["access_token"]
    assert claims_of(token)["permissions"] == {"client_id": client}
    assert_refused(Caller(server, token, "dut").get("/v1/job?queue=x"), 403)


def test_a_refresh_token_buys_access_with_the_permissions_of_now(server, boss):
    client, _ = server.add_client(new_name("client"), "contributor")
    refresh = log_in(server, client)["refresh_token"]
    boss.put(f"/v1/client-permissions/{client}", {"role": "manager"})
    for _ in range(2):
        reply = server.post("/v1/oauth2/refresh", {"refresh_token": refresh})
        assert reply.status == 200, reply
        answer = reply.json()
        assert set(answer) == {"access_token", "token_type", "expires_in"}
        assert claims_of(answer["access_token"])["permissions"]["role"] == "manager"


def test_a_refresh_token_of_a_deleted_client_is_useless(server, boss):
    client, _ = server.add_client(new_name("client"), "contributor")
    refresh = log_in(server, client)["refresh_token"]
    assert boss.delete(f"/v1/client-permissions/{client}").status == 200
    assert_refused(server.post("/v1/oauth2/refresh", {"refresh_token": refresh}), 400)


def test_a_revoked_token_is_useless(server, boss, user, manager):
    client, _ = server.add_client(new_name("client"), "contributor")
    refresh = log_in(server, client)["refresh_token"]
    for caller in (user, manager, Caller(server)):
        assert_refused(caller.post("/v1/oauth2/revoke", {"refresh_token": refresh}), 403)
    reply = boss.post("/v1/oauth2/revoke", {"refresh_token": refresh})
    assert (reply.status, reply.json()) == (200, {"status": "OK"})
    assert_refused(server.post("/v1/oauth2/refresh", {"refresh_token": refresh}), 400)
    for token in (refresh, "unknown"):
        assert_refused(boss.post("/v1/oauth2/revoke", {"refresh_token": token}), 400)


@pytest.mark.parametrize("path", ["/v1/oauth2/refresh", "/v1/oauth2/revoke"])
@pytest.mark.parametrize("body, complaints", [
    ({}, {"refresh_token": True}), ({"refresh_token": ""}, {"refresh_token": True}),
    ({"refresh_token": None}, {"refresh_token": True}), ({"refresh_token": 5}, {"refresh_token": True}),
    ({"refresh_token": "x", "y": 1}, {"y": True}), ("x", {"_schema": True}),
])
def test_malformed_requests(boss, path, body, complaints):
    assert_refused(boss.post(path, body), 422, complaints)


def test_unknown_tokens_are_refused(server):
    for token in ("abc", "x" * 48, "\u2603"):
        assert_refused(server.post("/v1/oauth2/refresh", {"refresh_token": token}), 400)


def test_neither_secrets_nor_tokens_are_stored(server, cluster, database):
    client, _ = server.add_client(new_name("client"), "contributor")
    refresh = log_in(server, client)["refresh_token"]
    stored = cluster.psql("SELECT c::text || t::text FROM tf.client c JOIN tf.refresh_token t "
                          f"USING (client_id) WHERE client_id = '{client}'", database)
    assert client in stored and "$2b$" in stored
    assert SECRET not in stored and refresh not in stored
