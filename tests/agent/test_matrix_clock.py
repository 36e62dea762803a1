# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of day jumps, as it does when a machine without a battery finds a time server; and a day
passes at once."""
import os
import pathlib
import shutil
import subprocess

import pytest

from wait import wait_for

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "lib" / "clock_shift.c"
DAY_S = 86400
WEBHOOK = "http://hook.test/x"


class Clock:
    def __init__(self, path):
        self.path = path
        self.shift()

    def shift(self, realtime_s=0, monotonic_s=0):
        new = self.path.with_suffix(".new")
        new.write_text(f"{realtime_s} {monotonic_s}\n")
        new.replace(self.path)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    made = tmp_path_factory.mktemp("clock") / "clock_shift.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(SOURCE)], check=True)
    return made


@pytest.fixture
def clock(library, tmp_path, monkeypatch):
    """Of every agent that this test starts."""
    made = Clock(tmp_path / "shift")
    sanitizers = os.environ.get("ASAN_OPTIONS", "")  # they want to be loaded first
    monkeypatch.setenv("TESTFLINGER_AGENT_WRAPPER", " ".join([
        "env", f"LD_PRELOAD={library}", f"CLOCK_SHIFT={made.path}",
        f"ASAN_OPTIONS={sanitizers}:verify_asan_link_order=0",
        os.environ.get("TESTFLINGER_AGENT_WRAPPER", "")]))
    return made


@pytest.mark.parametrize("jump_s", [400 * DAY_S, -400 * DAY_S])
def test_a_jump_of_the_time_of_day_ends_no_phase(fake, make_agent, clock, tmp_path, jump_s):
    gate = tmp_path / "gate"
    make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; echo done")
    job = fake.add_job(test_data={"a": 1}, global_timeout=3600, output_timeout=900,
                       job_status_webhook=WEBHOOK)
    wait_for(lambda: "begun" in job.log("test"))
    clock.shift(realtime_s=jump_s)
    path = f"/v1/result/{job.definition['job_id']}"
    looks = len(fake.seen("GET", path))
    wait_for(lambda: len(fake.seen("GET", path)) > looks + 1, what="the agent looks on")
    gate.touch()
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    assert job.log("test").endswith("begun\ndone\n")
    wait_for(lambda: "job_end" in job.event_names())
    first, last = (event["timestamp"] for event in (job.events[0], job.events[-1]))
    assert (last > first) if jump_s > 0 else (last < first)  # it did jump


@pytest.mark.parametrize("limit", ["global_timeout", "output_timeout"])
def test_a_phase_ends_in_its_time_though_the_time_of_day_goes_back(fake, make_agent, clock, limit):
    make_agent(test_command="echo begun; exec sleep 1000")
    job = fake.add_job(test_data={"a": 1}, job_status_webhook=WEBHOOK, **{limit: 2})
    wait_for(lambda: "begun" in job.log("test"))
    clock.shift(realtime_s=-400 * DAY_S)
    fake.wait_complete(job)
    assert job.status == {"test": 143}
    wait_for(lambda: "job_end" in job.event_names())
    assert job.events[-1]["detail"] == limit


def test_an_agent_without_jobs_tells_at_least_daily_that_it_lives(fake, make_agent, clock):
    make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    told = len(fake.agent_states())
    clock.shift(23 * 3600, 23 * 3600)
    wait_for(lambda: len(fake.agent_states()) > told)
    claims = len(fake.seen("GET", "/v1/job"))
    wait_for(lambda: len(fake.seen("GET", "/v1/job")) > claims + 1)
    assert len(fake.agent_states()) == told + 1
    assert set(fake.agent_states()) == {"waiting"}


def test_an_agent_out_of_service_tells_it_daily_too(fake, make_agent, clock):
    make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    fake.agent.update(state="maintenance", comment="new disk")
    path = "/v1/agents/data/agent-1"
    looks = len(fake.seen("GET", path))
    wait_for(lambda: len(fake.seen("GET", path)) > looks + 1)
    told = len(fake.agent_states())
    clock.shift(23 * 3600, 23 * 3600)
    wait_for(lambda: len(fake.agent_states()) > told)
    assert fake.agent_states()[-1] == "maintenance"
    assert fake.agent["comment"] == "new disk"
