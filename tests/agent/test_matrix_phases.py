# SPDX-License-Identifier: GPL-3.0-or-later
"""Every phase, and everything that can become of it: the table in tests/lib/matrix.py."""
import uuid

import pytest

import story
from conftest import agents_of
from fakeserver import FakeServer
from matrix import CASES, act, limits, phases_with_data
from wait import wait_for

WEBHOOK = "http://hook.test/x"


@pytest.fixture(scope="module")
def fake():
    server = FakeServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def lab(fake, tmp_path_factory):
    """One agent for all cases that do not need a configuration of their own."""
    directory = tmp_path_factory.mktemp("lab")
    with agents_of(fake, directory) as make:
        yield make(**story.commands(directory))


@pytest.fixture
def agent(request, fake, case):
    """The lab's, or one that lacks the command."""
    if case.what != "no command":
        yield request.getfixturevalue("lab")
        return
    directory = request.getfixturevalue("tmp_path")
    with agents_of(fake, directory) as make:
        yield make(name="lacking", job_queues=["lacking"],
                   **story.commands(directory, without=[case.phase]))


def submit(fake, case):
    """Of the job that waits once it is allocated the parent is over already."""
    parent = fake.add_job(job_queue="elsewhere")
    parent.state = "complete"
    data = {f"{phase}_data": {"key": 1} for phase in phases_with_data(case, story.WITH_DATA)}
    if case.what == "skip":
        data[f"{case.phase}_data"] = {"key": 1, "skip": True}
    return fake.add_job(job_queue="lacking" if case.what == "no command" else "q1", name=act(case),
                        parent_job_id=parent.definition["job_id"], job_status_webhook=WEBHOOK,
                        **limits(case), **data)


def cancel(fake, agent, job, case):
    """In the middle of the phase; one that is not stopped goes on once the agent must have seen it."""
    wait_for(lambda: job.log(case.phase).endswith("ing\n"), what="the phase is under way")
    path = f"/v1/result/{job.definition['job_id']}"
    looks = len(fake.seen("GET", path))
    fake.cancel(job)
    if act(case).endswith("waits"):
        wait_for(lambda: len(fake.seen("GET", path)) > looks + 1)
        (agent.job_dir(job) / "go").touch()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_job_goes_as_promised(fake, agent, case):
    before, logged = len(fake.requests), len(fake.provision_logs)
    job = submit(fake, case)
    if case.what == "cancelled":
        cancel(fake, agent, job, case)
    fake.wait_complete(job, 30)
    wait_for(lambda: "job_end" in job.event_names())
    wait_for(lambda: not agent.job_dir(job).exists())

    assert job.status == story.statuses(case.story)
    assert job.states == story.job_states(case.story)
    assert job.completions == 1
    assert job.event_names() == story.events(case.story)
    assert job.events[-1]["detail"] == case.reason
    times = [event["timestamp"] for event in job.events]
    assert times == sorted(times)
    assert fake.provision_logs[logged:] == (
        [{"job_id": job.definition["job_id"], "exit_code": case.provision_log[0],
          "detail": case.provision_log[1]}] if case.provision_log else [])
    for phase in story.statuses(case.story):
        assert f"this is {phase}\n" in job.log(phase)
    check_agent_states(fake, agent, job, case, before)


def posted_states(fake, agent, before):
    return [(r.json()["state"], r.json()["job_id"]) for r in fake.requests[before:]
            if r.method == "POST" and r.path == f"/v1/agents/data/{agent.name}"
            and "state" in r.json()]


def put_back(fake, agent):
    """Into service, once the agent has seen that it is out of it: it would insist before."""
    path = f"/v1/agents/data/{agent.name}"
    looks = len(fake.seen("GET", path))
    wait_for(lambda: len(fake.seen("GET", path)) > looks + 1)
    fake.agent.update(state="waiting", comment="")


def check_agent_states(fake, agent, job, case, before):
    """Each phase with the job, and in the end that the device is free, or out of service."""
    job_id = job.definition["job_id"]
    last = "offline" if "46" in case.story else "waiting"
    wait_for(lambda: posted_states(fake, agent, before)[-1] == (last, ""))
    with_job = [state for state, of in posted_states(fake, agent, before) if of == job_id]
    assert with_job == [state for state in job.states if state != "complete"]
    if last == "offline":
        assert job_id in fake.agent["comment"]
        put_back(fake, agent)


def test_a_reservation_outlasts_the_global_timeout(fake, lab):
    job = fake.add_job(name="reserve waits", reserve_data={"key": 1}, global_timeout=1,
                       output_timeout=1)
    wait_for(lambda: "waiting" in job.log("reserve"))
    path = f"/v1/result/{job.definition['job_id']}"
    looks = len(fake.seen("GET", path))
    wait_for(lambda: len(fake.seen("GET", path)) > looks + 2)  # they are a second apart
    (lab.job_dir(job) / "go").touch()
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "reserve": 0, "cleanup": 0}


def test_data_that_consists_of_attachments_is_none(fake, make_bundle, lab):
    job = fake.add_job(attachments=make_bundle({"test/file": "x"}),
                       provision_data={"attachments": [{"agent": "file"}]},
                       test_data={"attachments": [{"agent": "file"}], "key": 1})
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "test": 0, "cleanup": 0}


@pytest.fixture
def make_bundle(tmp_path):
    import io
    import tarfile

    def make(files):
        path = tmp_path / f"{uuid.uuid4()}.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
        return path.read_bytes()
    return make
