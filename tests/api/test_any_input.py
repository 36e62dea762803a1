# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes, the server answers with something below 500 and goes on: every row of the route
table with bodies, paths, queries and headers nobody should send, made from /openapi.json."""
import base64
import http.client

import pytest

import badinput
import routes
from caller import Caller, new_name
from server import Server

every_row = pytest.mark.parametrize("row", routes.ROWS, ids=routes.name_of)
with_body = pytest.mark.parametrize("row", [row for row in routes.ROWS if row.body == "json"],
                                    ids=routes.name_of)
uploads = pytest.mark.parametrize("row", [row for row in routes.ROWS if row.body == "upload"],
                                  ids=routes.name_of)
# headers are read before a row is looked for, but by these
reads_headers = pytest.mark.parametrize("row", [
    row for row in routes.ROWS if row.body == "upload" or row.path in ("/", "/v1/job", "/v1/oauth2/token")
    or (row.path.startswith(("/v1/result", "/v1/job/{id}")) and "{id}" in row.path)],
    ids=routes.name_of)
AGENT = "dut-of-any-input"


@pytest.fixture(scope="module")
def server(cluster, database, tmp_path_factory):
    """With all its parts.  No webhook here leads to where events may go: relaying is for another
    file."""
    where = tmp_path_factory.mktemp("server")
    (where / "keys").write_text(f"first {base64.b64encode(b'm' * 32).decode()}\n")
    made = Server(cluster, database, where, bcrypt_cost=4, webhook_base_url="http://127.0.0.1:9",
                  secrets_key_file=str(where / "keys")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(scope="module")
def document(server):
    return server.get("/openapi.json").json()


class Line:
    """A connection that is used for as many requests as the server answers on it."""

    def __init__(self, caller):
        self.caller = caller
        self.connection = http.client.HTTPConnection("127.0.0.1", caller.server.port, timeout=60)

    def send(self, method, path, body, headers):
        self.connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name, value.encode("latin-1"))
        if body is not None or method != "GET":
            self.connection.putheader("Content-Length", str(len(body or b"")))
        self.connection.endheaders(body)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def ask(self, method, path, body=None, headers=None):
        headers = {"Authorization": "Bearer " + self.caller.auth, "Cookie": f"agent_name={AGENT}",
                   **(headers or {})}
        for again in (False, True):
            try:
                return self.send(method, path, body, headers)
            except (ConnectionError, http.client.BadStatusLine):
                # closed after an answer like 413, perhaps before all of the body was sent
                self.connection.close()
                if again:
                    return 0

    def close(self):
        self.connection.close()


@pytest.fixture(scope="module")
def world(server, boss, agent):
    """Things that are there: what passes the first checks goes deeper.  Who may ask for a row."""
    client, secret = server.add_client(new_name("admin"), "admin")
    admin = Caller(server, server.token(client, secret))
    dut = agent.named(AGENT)
    assert dut.post(f"/v1/agents/data/{AGENT}", {"queues": ["any-input"], "state": "waiting"}).status == 200
    job = admin.submit("any-input", test_data={"test_cmds": "true"})
    assert dut.claim("any-input")["job_id"] == job
    assert boss.post("/v1/restricted-queues/any-queue", {"client_id": client}).status in (200, 404)
    lines = {"admin": Line(admin), "agent": Line(dut)}
    yield lines, {"id": job, "name": AGENT, "queue": "any-input", "client": client, "type": "output"}
    for line in lines.values():
        line.close()


def asker(world, row):
    lines, parts = world
    if row.path.startswith("/v1/client-permissions"):
        parts = {**parts, "id": "client-of-any-input"}
    return lines["agent" if "agent" in row.roles else "admin"], parts


def openapi_path(path):
    return path.replace("...}", "}")


class Answers:
    """Collects what should not be, to show several at once."""

    def __init__(self):
        self.bad = []
        self.count = 0

    def note(self, status, what):
        self.count += 1
        if status >= 500 or status == 0:
            self.bad.append((status, what if len(what) < 200 else what[:200]))

    def check(self, server):
        assert self.count and not self.bad, f"{len(self.bad)} of {self.count}: {self.bad[:10]}"
        assert server.get("/readyz").status == 200


def schema_of(document, row):
    operation = document["paths"][openapi_path(row.path)][row.method.lower()]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return document["components"]["schemas"][reference.rpartition("/")[2]]


@with_body
def test_bodies_of_the_wrong_shape(server, world, document, row):
    line, parts = asker(world, row)
    answers = Answers()
    schema = schema_of(document, row)
    for value in badinput.spoiled(schema):
        body = badinput.encode(value)
        answers.note(line.ask(row.method, routes.fill(row.path, **parts), body,
                              {"Content-Type": "application/json"}), body)
    answers.check(server)


@with_body
def test_bodies_that_are_no_json(server, world, row):
    line, parts = asker(world, row)
    answers = Answers()
    for body in badinput.RAW_BODIES:
        answers.note(line.ask(row.method, routes.fill(row.path, **parts), body,
                              {"Content-Type": "application/json"}), body)
    for kind in badinput.MEDIA_TYPES:
        answers.note(line.ask(row.method, routes.fill(row.path, **parts), b"{}",
                              {"Content-Type": kind}), kind)
    answers.check(server)


@pytest.mark.parametrize("row", [row for row in routes.ROWS if routes.PART.search(row.path)],
                         ids=routes.name_of)
def test_paths_that_name_nothing(server, world, row):
    names = routes.PART.findall(row.path)
    line, parts = asker(world, row)
    body, headers = routes.body_and_headers(row)
    answers = Answers()
    for name in names:
        for text in badinput.PATH_PARTS:
            path = routes.fill(row.path, **{**parts, name: text})
            answers.note(line.ask(row.method, path, body, headers), path)
    answers.check(server)


@every_row
def test_queries_that_make_no_sense(server, world, document, row):
    line, parts = asker(world, row)
    operation = document["paths"][openapi_path(row.path)][row.method.lower()]
    names = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
    path = routes.fill(row.path, **parts)
    body, headers = routes.body_and_headers(row)
    answers = Answers()
    for name in [*names, "unknown", ""]:
        for text in badinput.QUERY_VALUES:
            for query in (f"{name}={text}", f"{text}={text}", "&".join([f"{name}={text}"] * 3)):
                more = "&queue=none" if row.path == "/v1/job" and name != "queue" else ""
                answers.note(line.ask(row.method, f"{path}?{query}{more}", body, headers), query)
    for query in ("=", "?", "?a=b?c", "%", "x" * 30000, "a=1&" * 1000, "a=1&" * 1500):
        answers.note(line.ask(row.method, f"{path}?{query}", body, headers), query)
    answers.check(server)


@reads_headers
def test_headers_that_make_no_sense(server, world, row):
    line, parts = asker(world, row)
    body, kind = routes.body_and_headers(row)
    answers = Answers()
    for name in badinput.HEADERS:
        for value in badinput.HEADER_VALUES:
            answers.note(line.ask(row.method, routes.fill(row.path, **parts), body,
                                  {**kind, name: value}), f"{name}: {value}")
    answers.check(server)


@uploads
def test_forms_that_are_none(server, world, row):
    line, parts = asker(world, row)
    path = routes.fill(row.path, **parts)
    answers = Answers()
    for end in range(0, len(routes.FORM), 3):
        answers.note(line.ask(row.method, path, routes.FORM[:end],
                              {"Content-Type": f"multipart/form-data; boundary={routes.BOUNDARY}"}),
                     f"the first {end} bytes")
    for boundary in ("other", routes.BOUNDARY[:-1], "", '"', "\xff", "b" * 5000, "a b", "--"):
        answers.note(line.ask(row.method, path, routes.FORM,
                              {"Content-Type": f"multipart/form-data; boundary={boundary}"}), boundary)
    for kind in badinput.MEDIA_TYPES:
        answers.note(line.ask(row.method, path, routes.FORM, {"Content-Type": kind}), kind)
    for body in badinput.RAW_BODIES:
        answers.note(line.ask(row.method, path, body, {
            "Content-Type": f"multipart/form-data; boundary={routes.BOUNDARY}"}), body)
    answers.check(server)
