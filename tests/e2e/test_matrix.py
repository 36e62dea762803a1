# SPDX-License-Identifier: GPL-3.0-or-later
"""Some rows of the agent's table (tests/lib/matrix.py) on a real server: what it shows of them."""
import uuid

import pytest

import story
from conftest import Agent
from matrix import CASES, act, limits, phases_with_data
from traces import check_nothing_left
from wait import wait_for

QUEUE = "matrix"
# what the server takes as data that the phase does not skip
DATA = {"provision": {"url": "http://images.test/a"}, "firmware_update": {"version": "1"},
        "test": {"test_cmds": "true"}, "allocate": {"allocate": True},
        "reserve": {"ssh_keys": ["lp:nobody"]}}
ROWS = {("provision", "7"), ("test", "7"), ("reserve", "255"), ("cleanup", "7"), ("provision", "46"),
        ("test", "alone"), ("firmware_update", "absent"), ("provision", "skip"), ("allocate", "alone"),
        ("setup", "global_timeout"), ("test", "output_timeout"), ("provision", "cancelled"),
        ("test", "cancelled"), ("cleanup", "with all others")}
# the one after which the agent takes no more jobs comes last
CHOSEN = sorted((case for case in CASES if (case.phase, case.what) in ROWS),
                key=lambda case: case.what == "46")


@pytest.fixture(scope="module")
def lab(server, tmp_path_factory):
    directory = tmp_path_factory.mktemp("matrix")
    made = Agent(server, directory, "matrix-agent", job_queues=[QUEUE], cancel_interval=1, kill_grace=1,
                 **story.commands(directory)).start()
    yield made
    made.stop()


@pytest.fixture
def parent():
    """A job that is over and forgotten: nobody waits for it, and nobody cancels its children."""
    return str(uuid.uuid4())


def submit(server, case, parent):
    data = {f"{phase}_data": DATA[phase] for phase in phases_with_data(case, story.WITH_DATA)}
    if case.what == "skip":
        data[f"{case.phase}_data"] = {"skip": True}
    reply = server.post("/v1/job", {"job_queue": QUEUE, "name": act(case), "parent_job_id": parent,
                                    **limits(case), **data})
    assert reply.status == 200, reply
    return reply.json()["job_id"]


def result(server, job_id):
    return server.get(f"/v1/result/{job_id}").json()


def record(server, token):
    return server.get("/v1/agents/data/matrix-agent", auth=token).json()


def cancel(server, agent, job_id, case):
    wait_for(lambda: result(server, job_id).get(f"{case.phase}_output", "").endswith("ing\n"))
    assert server.post(f"/v1/job/{job_id}/action", {"action": "cancel"}).status == 200
    if act(case).endswith("waits"):
        (agent.dir / "run" / job_id / "go").touch()


@pytest.mark.parametrize("case", CHOSEN, ids=str)
def test_the_server_shows_what_became_of_each_phase(server, agent_token, lab, parent, case):
    job_id = submit(server, case, parent)
    if case.what == "cancelled":
        cancel(server, lab, job_id, case)
    statuses = story.statuses(case.story)
    last = f"{list(statuses)[-1]}_status"
    wait_for(lambda: last in result(server, job_id) and result(server, job_id)["job_state"] in
             ("complete", "cancelled"))
    shown = result(server, job_id)
    assert {name.removesuffix("_status"): value for name, value in shown.items()
            if name.endswith("_status")} == statuses
    assert shown["job_state"] == ("cancelled" if case.what == "cancelled" else "complete")
    for phase in statuses:
        assert shown[f"{phase}_output"].count(f"this is {phase}\n") == 1
    check_nothing_left([job_id])
    wait_for(lambda: not (lab.dir / "run" / job_id).exists())
    out_of_service = "46" in case.story
    wait_for(lambda: record(server, agent_token)["state"] ==
             ("offline" if out_of_service else "waiting"))
    assert record(server, agent_token)["job_id"] == ""
    assert (job_id in record(server, agent_token).get("comment", "")) == out_of_service
