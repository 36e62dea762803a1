# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /openapi.json: well formed, of the routes that are served, and true."""
import json
import re
import uuid

import pytest

from caller import new_name
from programs import ROOT

jsonschema = pytest.importorskip("jsonschema")

ROW = re.compile(r'\{\s*"(GET|POST|PUT|DELETE)",\s*"(/[^"]*)"')


@pytest.fixture(scope="module")
def document(server):
    reply = server.get("/openapi.json")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    return reply.json()


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def resolve(document, node):
    """Follows a $ref; every one of the document must lead somewhere."""
    while "$ref" in node:
        assert node["$ref"].startswith("#/")
        found = document
        for part in node["$ref"][2:].split("/"):
            found = found[part]
        node = found
    return node


def schemas(document):
    """Every schema that stands anywhere in the document."""
    yield from document["components"]["schemas"].items()
    for method, path, operation in operations(document):
        for parameter in operation["parameters"]:
            yield f"{method} {path} {parameter['name']}", parameter["schema"]
        for status, response in operation["responses"].items():
            for content in resolve(document, response).get("content", {}).values():
                yield f"{method} {path} {status}", content["schema"]


def check(document, schema, value):
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def answer_schema(document, method, path, status="200"):
    response = resolve(document, document["paths"][path][method]["responses"][status])
    return response["content"]["application/json"]["schema"]


def test_it_is_of_the_version_it_names(document):
    assert document["openapi"] == "3.1.0"
    assert set(document) == {"openapi", "info", "paths", "components"}
    assert document["info"]["title"] and document["info"]["version"]


def test_every_route_is_there_and_nothing_else(document):
    rows = {(method.lower(), path.replace("...}", "}"))
            for method, path in ROW.findall((ROOT / "server/routes.c").read_text())}
    assert {(method, path) for method, path, _ in operations(document)} == rows


def test_operations_are_complete(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for method, path, operation in operations(document):
        assert operation["summary"]
        wanted = re.findall(r"\{(\w+)\}", path)
        assert [one["name"] for one in operation["parameters"] if one["in"] == "path"] == wanted
        assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")
        assert "200" in operation["responses"] and "500" in operation["responses"]
        for response in operation["responses"].values():
            assert resolve(document, response)["description"]
        if "requestBody" in operation:
            assert method != "get"
            for content in operation["requestBody"]["content"].values():
                resolve(document, content["schema"])


def test_every_schema_is_one(document):
    count = 0
    for name, schema in schemas(document):
        jsonschema.Draft202012Validator.check_schema(resolve(document, schema))
        count += 1
        assert name
    assert count > 50


def test_every_error_of_the_table_is_described(document):
    statuses = re.findall(r"^ERROR\(\w+,\s*(\d+)", (ROOT / "common/errors.def").read_text(), re.M)
    assert set(document["components"]["responses"]) == set(statuses)


def test_roles_are_told(document):
    claim = document["paths"]["/v1/job"]["get"]
    assert (claim["x-roles"], claim["security"]) == (["agent"], [{"token": []}])
    submit = document["paths"]["/v1/job"]["post"]
    assert submit["x-roles"] == ["admin", "manager", "contributor"]
    assert {} in submit["security"]
    assert document["paths"]["/v1/oauth2/token"]["post"]["security"] == [{"client": []}]
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_bodies_that_are_taken_fit(document, user):
    schema = {"$ref": "#/components/schemas/submit_job"}
    for body in [{"job_queue": "q"},
                 {"job_queue": "q", "tags": ["a"], "provision_data": {"url": "http://a.example/x"},
                  "reserve_data": {"ssh_keys": ["gh:x"], "timeout": "1h"}, "debug": True,
                  "test_data": {"test_cmds": "x", "attachments": [{"agent": "a"}]},
                  "provision_data": None, "job_priority": 0, "allocate_data": {"x": 1}}]:
        assert user.post("/v1/job", body).status == 200
        check(document, schema, body)


@pytest.mark.parametrize("body", [
    {}, {"job_queue": ""}, {"job_queue": 7}, {"job_queue": "q", "x": 1},
    {"job_queue": "q", "tags": "a"}, {"job_queue": "q", "test_data": {"x": 1}},
    {"job_queue": "q", "test_data": {"attachments": [{}]}}])
def test_bodies_that_are_refused_do_not(document, user, body):
    reply = user.post("/v1/job", body)
    assert reply.status == 422
    with pytest.raises(jsonschema.ValidationError):
        check(document, {"$ref": "#/components/schemas/submit_job"}, body)
    check(document, answer_schema(document, "post", "/v1/job", "422"), reply.json())


def test_answers_are_as_described(document, server, boss, user, agent, queue):
    def look(caller, path, route):
        reply = caller.get(path)
        assert reply.status == 200, reply
        check(document, answer_schema(document, "get", route), json.loads(reply.body))

    job = user.submit(queue)
    look(user, f"/v1/job/{job}/status", "/v1/job/{id}/status")
    look(user, f"/v1/job/{job}/timeline", "/v1/job/{id}/timeline")
    agent.post(f"/v1/agents/data/{agent.agent}", {"queues": [queue], "state": "waiting"})
    agent.post("/v1/agents/queues", {queue: "for tests"})
    look(agent, f"/v1/job?queue={queue}", "/v1/job")
    agent.post(f"/v1/result/{job}", {"job_state": "complete", "status": {"test": 1},
                                     "device_info": {"x": 1}})
    boss.put("/v1/client-permissions/" + new_name("client"),
             {"client_secret": "x" * 20, "max_priority": {"*": 1}, "email": "a@b.example"})
    for path, route in [
            (f"/v1/job/{job}", "/v1/job/{id}"), (f"/v1/job/{job}/status", "/v1/job/{id}/status"),
            (f"/v1/result/{job}", "/v1/result/{id}"), ("/v1/agents/data", "/v1/agents/data"),
            (f"/v1/agents/data/{agent.agent}", "/v1/agents/data/{name}"),
            ("/v1/agents/queues", "/v1/agents/queues"),
            (f"/v1/queues/{queue}/jobs", "/v1/queues/{queue}/jobs"),
            (f"/v1/queues/{queue}/agents", "/v1/queues/{queue}/agents"),
            ("/v1/job/search", "/v1/job/search"), ("/v1/queues/wait_times", "/v1/queues/wait_times"),
            (f"/v1/agents/images/{queue}", "/v1/agents/images/{queue}"),
            ("/v1/restricted-queues", "/v1/restricted-queues"),
            (f"/v1/result/{job}/log/output", "/v1/result/{id}/log/{type}")]:
        look(user, path, route)
    look(boss, "/v1/client-permissions", "/v1/client-permissions")
    look(boss, "/v1/client-permissions/testflinger-admin", "/v1/client-permissions/{id}")
    client = server.add_client(new_name("client"), "agent")
    token = server.post("/v1/oauth2/token", auth=client).json()
    check(document, answer_schema(document, "post", "/v1/oauth2/token"), token)
    renewed = server.post("/v1/oauth2/refresh", {"refresh_token": token["refresh_token"]})
    check(document, answer_schema(document, "post", "/v1/oauth2/refresh"), renewed.json())
    check(document, answer_schema(document, "post", "/v1/job", "409"),
          boss.get(f"/v1/queues/{uuid.uuid4()}/agents").json())
