# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the route table with every kind of caller and method: who is let in is what the row
says, tokens that are none get nobody in, and each path knows its methods."""
import base64
import hashlib
import hmac
import json
import time

import pytest

import routes
from caller import Caller, new_name
from server import JWT_KEY, Server

ROLES = ("agent", "contributor", "manager", "admin")
# rows that ask for more than a role.  The token is bought with a client's secret, which the callers
# here do not send; secrets are of somebody: anonymous is let in by role, and has none.
WANTS_SECRET = {("POST", "/v1/oauth2/token")}
# Their bodies are fine: what a body lacks is told before whose the secret is.
WANTS_CLIENT = {("DELETE", "/v1/secrets/{client}/{path...}"): None,
                ("PUT", "/v1/secrets/{client}/{path...}"): b'{"value": "x"}'}

every_row = pytest.mark.parametrize("row", routes.ROWS, ids=routes.name_of)
every_path = pytest.mark.parametrize("path", sorted(routes.methods()))


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def forge(claims, key=JWT_KEY, alg="HS256", digest=hashlib.sha256, **header):
    """A token as anybody could make it who knows the key."""
    head = json.dumps({"alg": alg, "typ": "JWT", **header}).encode()
    text = part(head) + b"." + part(json.dumps(claims).encode())
    seal = hmac.new(key.encode(), text, digest).digest() if digest else b""
    return (text + b"." + part(seal)).decode()


def claims(role="admin", age_s=0, **more):
    now = int(time.time()) - age_s
    return {"iat": now, "exp": now + 600, "sub": "access_token",
            "permissions": {"client_id": "forger", "role": role}, **more}


def damaged(token):
    """The same with one bit of its signature changed."""
    text, _, seal = token.rpartition(".")
    return f"{text}.{'B' if seal[0] == 'A' else 'A'}{seal[1:]}"


def without(name):
    return {key: value for key, value in claims().items() if key != name}


def of_another_role():
    """A good signature of an agent's token under the claims of an admin."""
    head, _, seal = forge(claims("agent")).split(".")
    return f"{head}.{part(json.dumps(claims('admin')).encode()).decode()}.{seal}"


# name: (Authorization header, answer)
STRANGERS = {
    "expired": ("Bearer " + forge(claims(age_s=4000)), 401),
    "not valid yet": ("Bearer " + forge(claims(age_s=-4000)), 401),
    "another key": ("Bearer " + forge(claims(), key="k" * 40), 403),
    "no key": ("Bearer " + forge(claims(), key=""), 403),
    "alg none": ("Bearer " + forge(claims(), alg="none", digest=None), 403),
    "alg NONE with a signature": ("Bearer " + forge(claims(), alg="NONE"), 403),
    "alg HS512": ("Bearer " + forge(claims(), alg="HS512", digest=hashlib.sha512), 403),
    "alg HS384 signed as HS256": ("Bearer " + forge(claims(), alg="HS384"), 403),
    "alg RS256": ("Bearer " + forge(claims(), alg="RS256"), 403),
    "brings its key": ("Bearer " + forge(claims(), key="k" * 40, jwk={
        "kty": "oct", "k": part(b"k" * 40).decode()}), 403),
    "critical extension": ("Bearer " + forge(claims(), key="k" * 40, crit=["exp"]), 403),
    "damaged": ("Bearer " + damaged(forge(claims())), 403),
    "another's claims": ("Bearer " + of_another_role(), 403),
    "no expiry": ("Bearer " + forge(without("exp")), 403),
    "no issue time": ("Bearer " + forge(without("iat")), 403),
    "no subject": ("Bearer " + forge(without("sub")), 403),
    "no permissions": ("Bearer " + forge(without("permissions")), 403),
    "no client": ("Bearer " + forge(claims(permissions={"role": "admin"})), 403),
    "unknown role": ("Bearer " + forge(claims("emperor")), 403),
    "list of claims": ("Bearer " + forge([claims()]), 403),
    "two parts": ("Bearer " + forge(claims()).rpartition(".")[0], 403),
    "no token": ("Bearer ", 403),
    "no JWT": ("Bearer of-good-news", 403),
    "Basic": ("Basic " + base64.b64encode(b"testflinger-admin:guess").decode(), 403),
    "Digest": ("Digest username=admin", 403),
    "no scheme": (forge(claims()), 403),
}


@pytest.fixture(scope="module")
def server(cluster, database, tmp_path_factory):
    """With all its parts."""
    where = tmp_path_factory.mktemp("server")
    (where / "keys").write_text(f"first {base64.b64encode(b'm' * 32).decode()}\n")
    made = Server(cluster, database, where, bcrypt_cost=4,
                  secrets_key_file=str(where / "keys")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(scope="module")
def callers(server, boss):
    """Somebody of each role, under their client id."""
    made = {}
    for role in ROLES:
        client, secret = server.add_client(new_name(role), role)
        made[role] = (Caller(server, server.token(client, secret), "dut-of-the-matrix"), client)
    made["admin of the system"] = (boss, "testflinger-admin")
    return made


def ask(caller, row, client="client-of-the-matrix", path=None, headers=None, method=None):
    body, kind = routes.body_and_headers(row)
    body = WANTS_CLIENT.get((row.method, row.path), body)
    return caller.request(method or row.method, path or routes.fill(row.path, client=client), body,
                          headers={**kind, **(headers or {})})


def assert_let_in(row, reply, refusals=(401, 403)):
    if (row.method, row.path) in WANTS_SECRET:
        assert reply.status == 401, reply
    else:
        assert reply.status < 500 and reply.status not in (405, *refusals), reply


def assert_refusal(reply, status):
    assert reply.status == status, reply
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json()["message"]


@every_row
def test_roles_are_let_in_as_the_table_says(callers, row):
    for name, (caller, client) in callers.items():
        reply = ask(caller, row, client)
        if not row.roles or name.split()[0] in row.roles:
            assert_let_in(row, reply)
        else:
            assert_refusal(reply, 403)


@every_row
def test_anonymous_counts_as_a_contributor(anonymous, row):
    reply = ask(anonymous, row)
    if row.roles and "contributor" not in row.roles:
        assert_refusal(reply, 403)
    elif (row.method, row.path) in WANTS_CLIENT:
        assert_refusal(reply, 401)
    else:
        assert_let_in(row, reply)


@every_row
def test_tokens_that_are_none_get_nobody_in(anonymous, row):
    for name, (header, status) in STRANGERS.items():
        reply = ask(anonymous, row, headers={"Authorization": header})
        assert (name, reply.status < 500) == (name, True)
        if row.roles:
            assert (name, reply.status) == (name, status)
            assert_refusal(reply, status)
        else:
            assert_let_in(row, reply)


@pytest.mark.parametrize("row", [row for row in routes.ROWS if row.roles], ids=routes.name_of)
def test_who_asks_is_checked_before_what(anonymous, row):
    """Nobody learns from a refusal whether a body or an id would have been fine."""
    headers = {"Authorization": STRANGERS["another key"][0], "Content-Type": "no/such-type"}
    for path in (routes.fill(row.path), routes.fill(row.path, id="no-uuid", name="n" * 2000)):
        assert_refusal(anonymous.request(row.method, path, b"{", headers=headers), 403)


def test_the_forger_would_get_in_with_the_right_key(server):
    """Else the test above proves nothing."""
    assert Caller(server, forge(claims())).get("/v1/client-permissions").status == 200


@every_path
def test_a_path_tells_its_methods(anonymous, path):
    allowed = routes.methods()[path]
    for method in ("OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"):
        if method in allowed and method != "OPTIONS":
            continue
        reply = anonymous.request(method, routes.fill(path))
        assert reply.status == (200 if method == "OPTIONS" else 405), reply
        assert set(reply.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("row", [row for row in routes.ROWS if row.method == "GET"],
                         ids=routes.name_of)
def test_head_answers_as_get_without_a_body(callers, row):
    path = routes.fill(row.path)
    for name, (caller, _) in callers.items():
        got, head = ask(caller, row, path=path), ask(caller, row, path=path, method="HEAD")
        if row.path == "/v1/job" and "agent" in name:  # a job that nobody reads would be lost
            assert (head.status, head.body) == (204, b"")
            continue
        assert (name, head.status, head.body) == (name, got.status, b"")
        assert head.headers["Content-Type"] == got.headers["Content-Type"]


@every_row
def test_a_trailing_slash_changes_nothing(callers, row):
    path = routes.fill(row.path, client=callers["admin"][1])
    # a secret's path goes on to the end of the target: there the slash belongs to it
    other = path.rstrip("/") or path if path.endswith("/") else path + "/"
    for name, (caller, _) in callers.items():
        reply, slashed = ask(caller, row, path=path), ask(caller, row, path=other)
        if "{path...}" in row.path:
            assert slashed.status in (200, 400, 403, 422), slashed
        else:
            assert (name, slashed.status) == (name, reply.status)
