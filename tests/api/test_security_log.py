# SPDX-License-Identifier: GPL-3.0-or-later
"""The security log: who logged in, was refused, made or changed whom; and never a secret."""
import re
import shlex
import signal

import pytest

from caller import Caller, new_name
from server import Server
from wait import wait_for

SECRET = "a-secret-nobody-may-read-in-a-log"
WRONG = "a-wrong-secret-nobody-may-read"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("security")


@pytest.fixture(scope="module")
def server(cluster, database, place):
    made = Server(cluster, database, place, bcrypt_cost=4, trust_forwarded_for=True,
                  security_log_file=str(place / "security.log")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture
def request_id():
    return new_name("request")


def entries(path):
    """The lines of a log, each as a dictionary."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [dict(part.split("=", 1) for part in shlex.split(line)) for line in lines]


def told(place, request_id, name="security.log"):
    """What the log says of one request."""
    return wait_for(lambda: [one for one in entries(place / name) if one["id"] == request_id],
                    what="the security log tells of it")


def what(place, request_id):
    return [one["what"] for one in told(place, request_id)]


def named(request_id):
    return {"X-Request-Id": request_id}


def log_in(server, client, secret, request_id):
    return server.post("/v1/oauth2/token", auth=(client, secret), headers=named(request_id))


def test_logins(server, place, request_id):
    client, _ = server.add_client(new_name("client"), "agent", secret=SECRET)
    assert log_in(server, client, SECRET, request_id).status == 200
    login, token = told(place, request_id)
    assert (login["what"], token["what"]) == ("login", "token_created")
    for one in (login, token):
        assert one["event"] == "security"
        assert one["level"] == "info"
        assert (one["about"], one["peer"], one["status"]) == (client, "127.0.0.1", "200")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", one["ts"])


def test_logins_that_fail(server, place, request_id):
    client, _ = server.add_client(new_name("client"), "agent", secret=SECRET)
    for n, who in enumerate([client, "nobody at all\nwhat=login"]):
        assert log_in(server, who, WRONG, f"{request_id}-{n}").status == 401
        (one,) = told(place, f"{request_id}-{n}")
        assert (one["what"], one["level"], one["status"]) == ("login_failed", "warning", "401")
        assert one["about"] == who.replace("\n", "\\x0a")
    server.post("/v1/oauth2/token", headers={"Authorization": "Digest x", **named(request_id)})
    assert what(place, request_id) == ["login_failed"]


def test_the_life_of_a_refresh_token(server, admin, place, request_id):
    client, _ = server.add_client(new_name("client"), "agent", secret=SECRET)
    token = log_in(server, client, SECRET, request_id).json()["refresh_token"]
    steps = [("refresh", token, 200, "token_created", client, "-"),
             ("refresh", WRONG, 400, "token_refused", "-", "-"),
             ("revoke", token, 200, "token_revoked", client, "testflinger-admin"),
             ("refresh", token, 400, "token_reused", client, "-")]
    for n, (route, text, status, event, about, who) in enumerate(steps):
        reply = server.post(f"/v1/oauth2/{route}", {"refresh_token": text},
                            headers=named(f"{request_id}-{n}"),
                            auth=admin if route == "revoke" else None)
        assert reply.status == status, reply
        (one,) = told(place, f"{request_id}-{n}")
        assert (one["what"], one["about"], one["client"]) == (event, about, who)


@pytest.mark.parametrize("header, who, status", [
    ("Bearer x.y.z", "-", 403), ("Basic eDp5", "-", 403)])
def test_tokens_that_are_none(server, place, request_id, header, who, status):
    reply = server.get("/v1/agents/data", headers={"Authorization": header, **named(request_id)})
    assert reply.status == status
    (one,) = told(place, request_id)
    assert (one["what"], one["client"], one["status"]) == ("access_denied", who, str(status))
    assert one["reason"]


def test_what_a_role_may_not_do(server, agent_token, place, request_id):
    assert server.get("/v1/agents/data", auth=agent_token, headers=named(request_id)).status == 403
    (one,) = told(place, request_id)
    assert (one["what"], one["client"], one["role"]) == ("access_denied", "agent-of-the-tests", "agent")
    assert (one["method"], one["path"]) == ("GET", "/v1/agents/data")


def test_what_a_limit_forbids(server, place, request_id):
    client, _ = server.add_client(new_name("client"), "contributor", secret=SECRET)
    token = server.token(client, SECRET)
    reply = server.post("/v1/job", {"job_queue": "q", "job_priority": 5}, auth=token,
                        headers=named(request_id))
    assert reply.status == 403
    (one,) = told(place, request_id)
    assert (one["what"], one["client"], one["role"]) == ("access_denied", client, "contributor")


def test_the_life_of_a_client(server, admin, place, request_id):
    client = new_name("client")
    path = f"/v1/client-permissions/{client}"
    steps = [("PUT", {"client_secret": SECRET, "role": "agent"}, "client_created"),
             ("PUT", {"client_secret": SECRET + "-new"}, "client_changed"),
             ("DELETE", None, "client_deleted")]
    for n, (method, body, event) in enumerate(steps):
        reply = server.request(method, path, body, auth=admin, headers=named(f"{request_id}-{n}"))
        assert reply.status == 200, reply
        (one,) = told(place, f"{request_id}-{n}")
        assert (one["what"], one["about"], one["client"], one["role"]) == (
            event, client, "testflinger-admin", "admin")


def test_whatever_those_in_charge_change(server, admin, agent_token, place, request_id):
    for n, (token, status) in enumerate([(admin, 200), (admin, 422), (agent_token, 200)]):
        body = {"queue": "description"} if status == 200 else {"queue": 7}
        reply = server.post("/v1/agents/queues", body, auth=token,
                            headers=named(f"{request_id}-{n}"))
        assert reply.status == status, reply
    server.get("/v1/agents/queues", auth=admin, headers=named(f"{request_id}-3"))
    log_in(server, "nobody", WRONG, request_id)
    assert what(place, request_id) == ["login_failed"]  # so the others have been written
    assert [one["status"] for one in entries(place / "security.log")
            if one["id"].startswith(request_id) and one["what"] == "admin_action"] == ["200", "422"]


def test_who_was_made_an_owner(server, admin, agent_token, place, request_id):
    client, queue = server.add_client(new_name("client"), "contributor", secret=SECRET)[0], new_name()
    server.post(f"/v1/agents/data/{new_name('dut')}", {"queues": [queue]}, auth=agent_token)
    for n, method in enumerate(("POST", "DELETE")):
        reply = server.request(method, f"/v1/restricted-queues/{queue}", {"client_id": client}, auth=admin,
                               headers=named(f"{request_id}-{n}"))
        assert reply.status == 200, reply
        (one,) = told(place, f"{request_id}-{n}")
        assert (one["what"], one["about"], one["client"]) == ("admin_action", client, "testflinger-admin")


@pytest.mark.parametrize("header, seen", [
    ("192.0.2.7", "192.0.2.7"), ("10.0.0.1, 192.0.2.7 ", "192.0.2.7"), ("2001:db8::1", "2001:db8::1"),
    ("192.0.2.7, nonsense", None), ("192.0.2.7 what=login", None), ("1" * 60, None), ("", None)])
def test_a_trusted_proxy_tells_the_address(server, place, request_id, header, seen):
    server.post("/v1/oauth2/token", headers={"X-Forwarded-For": header, **named(request_id)})
    (one,) = told(place, request_id)
    assert one["peer"] == "127.0.0.1"
    assert one.get("from") == seen


def test_secrets_are_never_in_it(server, place):
    text = (place / "security.log").read_text() + server.process.output()
    assert "login_failed" in text
    for secret in (SECRET, WRONG, "Bearer ", "eyJ"):
        assert secret not in text
    assert "event=security" not in server.process.output()


def test_without_options(cluster, database, place, agent_token, request_id):
    """Among the other lines, only what was refused, and no header is believed."""
    server = Server(cluster, database, place, "plain", security_log_level="warning",
                    bcrypt_cost=4).start()
    caller = Caller(server, agent_token)
    caller.post("/v1/agents/queues", {}, headers=named(request_id))
    log_in(server, "nobody", WRONG, request_id)
    caller.get("/v1/agents/data", headers={"X-Forwarded-For": "192.0.2.7", **named(request_id)})
    assert server.stop() == 0
    lines = [line for line in server.process.output().splitlines() if "event=security" in line]
    assert [dict(part.split("=", 1) for part in shlex.split(line))["what"] for line in lines] == [
        "login_failed", "access_denied"]
    assert "192.0.2.7" not in "".join(lines)


def test_the_file_is_opened_again(server, place, request_id):
    (place / "security.log").rename(place / "security.log.1")
    server.process.send(signal.SIGHUP)
    wait_for((place / "security.log").exists, what="a new file")
    log_in(server, "nobody", WRONG, request_id)
    assert what(place, request_id) == ["login_failed"]


def test_a_file_that_cannot_be_opened_stops_the_server(cluster, database, place):
    server = Server(cluster, database, place, "lost", security_log_file="/nowhere/at/all")
    with pytest.raises(AssertionError, match="security log"):
        server.start()
