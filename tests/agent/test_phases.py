# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases of a job: which run, in which order, what becomes of them."""
import json
import os
import re

import pytest

from wait import wait_for

ALL = ["setup", "provision", "firmware_update", "test", "allocate", "reserve", "cleanup"]
COMMANDS = {f"{phase}_command": f"echo this is {phase}" for phase in ALL}
DATA = {f"{phase}_data": {"key": 1} for phase in ALL if phase not in ("setup", "cleanup")}


def test_every_phase_runs_in_order_and_is_reported(fake, make_agent):
    make_agent(**COMMANDS)
    job = fake.add_job(**DATA, job_status_webhook="http://hook.test/x")
    wait_for(lambda: "allocated" in job.states)
    job.state = "complete"  # as if the parent had ended
    fake.wait_complete(job)
    assert job.status == {phase: 0 for phase in ALL}
    assert job.states == ["setup", "provision", "firmware_update", "test", "allocate",
                          "allocated", "reserve", "cleanup", "complete"]
    for phase in ALL:
        log = job.log(phase)
        lines = log.splitlines()
        assert lines[0] == lines[2] == "*" * len(lines[1])
        assert lines[1] == f"* Starting testflinger {phase} phase on agent-1 *"
        assert lines[3:] == [f"this is {phase}"]
    numbers = [fragment["fragment_number"] for fragment in job.fragments["output"]]
    assert numbers == list(range(len(numbers)))
    wait_for(lambda: "job_end" in job.event_names())
    assert job.event_names() == ["job_start"] + [
        name for phase in ALL for name in (f"{phase}_start", f"{phase}_success")] + ["job_end"]
    assert job.events[-1]["detail"] == "normal_exit"
    assert job.events[0]["detail"] == f"{fake.url}/jobs/{job.definition['job_id']}"
    assert fake.provision_logs == [{"job_id": job.definition["job_id"], "exit_code": 0,
                                    "detail": "provision_success"}]
    wait_for(lambda: fake.agent_states()[-1] == "waiting")
    assert fake.agent["job_id"] == ""


@pytest.mark.parametrize("data", [None, {}, {"skip": True}, "absent"])
def test_a_phase_without_data_is_skipped(fake, make_agent, data):
    make_agent(**COMMANDS)
    definition = {} if data == "absent" else {"provision_data": data, "test_data": data}
    job = fake.add_job(**definition)
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "cleanup": 0}


def test_a_phase_without_command_is_skipped(fake, make_agent):
    make_agent(test_command="echo only this")
    job = fake.add_job(**DATA)
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    assert "only this" in job.log("test")


@pytest.mark.parametrize("phase", ["setup", "provision", "firmware_update", "allocate", "reserve"])
def test_a_failing_phase_ends_the_job_but_cleanup_runs(fake, make_agent, phase):
    make_agent(**{**COMMANDS, f"{phase}_command": "echo bad; exit 7"})
    job = fake.add_job(**DATA, job_status_webhook="http://hook.test/x")
    if phase == "reserve":
        wait_for(lambda: "allocated" in job.states)
        job.state = "complete"
    fake.wait_complete(job)
    ran = ALL[:ALL.index(phase)]
    assert job.status == {**{name: 0 for name in ran}, phase: 7, "cleanup": 0}
    wait_for(lambda: "job_end" in job.event_names())
    assert f"{phase}_fail" in job.event_names()
    assert job.events[-1]["detail"] == f"{phase}_fail"


def test_after_a_failing_test_the_device_is_still_reserved(fake, make_agent):
    make_agent(**{**COMMANDS, "test_command": "exit 3", "allocate_command": ""})
    job = fake.add_job(**DATA)
    fake.wait_complete(job)
    assert job.status["test"] == 3
    assert job.status["reserve"] == 0


def test_a_status_by_signal_is_told_as_shells_tell_it(fake, make_agent):
    make_agent(test_command="kill -KILL $$")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 137}


def test_commands_find_their_job_and_environment(fake, make_agent):
    make_agent(test_command='pwd; cat testflinger.json; echo; echo "[$agent_id] [$location]"; '
                            'cat testflinger-outcome.json; wc -c < device-connector-error.json; '
                            'if read line; then echo input; fi',
               location="here", setup_command="true")
    job = fake.add_job(test_data={"test_cmds": "x"})
    fake.wait_complete(job)
    lines = job.log("test").splitlines()[3:]
    assert lines[0].endswith("/run/" + job.definition["job_id"])
    assert json.loads(lines[1])["test_data"] == {"test_cmds": "x"}
    assert lines[2] == "[agent-1] [here]"
    assert json.loads(lines[3][:-1] if lines[3][-1].isdigit() else lines[3]) == {
        "status": {"setup": 0}}


def signals_in(text, kind):
    """A set of signals in /proc/PID/status, without 32 and 33: those are the C library's own, which
    leaves them ignored in what it spawned and lets nobody change them."""
    return int(re.search(kind + r":\t([0-9a-f]{16})", text).group(1), 16) & ~(0b11 << 31)


def test_commands_inherit_no_connections_and_no_blocked_signals(fake, make_agent):
    make_agent(test_command="ls -l /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    log = job.log("test")
    assert "pipe:" in log
    assert "socket:" not in log
    assert signals_in(log, "SigBlk") == 0
    assert signals_in(log, "SigIgn") == 0


def test_signals_ignored_around_the_agent_are_not_ignored_by_commands(fake, make_agent, monkeypatch):
    wrapper = os.environ.get("TESTFLINGER_AGENT_WRAPPER", "")
    monkeypatch.setenv("TESTFLINGER_AGENT_WRAPPER",
                       f"""sh -c 'trap "" HUP INT QUIT; exec "$@"' sh {wrapper}""")
    make_agent(test_command="grep SigIgn /proc/self/status")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert signals_in(job.log("test"), "SigIgn") == 0


def test_device_info_is_posted_before_the_next_phase(fake, make_agent):
    make_agent(setup_command='echo \'{"device_info": {"device_ip": "10.1.2.3"}}\' '
                             '> device-info.json', test_command="true")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.device_info == {"device_ip": "10.1.2.3"}


def test_the_reason_of_a_failure_comes_from_the_device_connector(fake, make_agent):
    info = {"provision_exception_info": {"exception_name": "ProvisioningError",
                                         "exception_message": "no power",
                                         "exception_cause": "OSError"}}
    make_agent(provision_command=f"echo '{json.dumps(info)}' > device-connector-error.json; exit 1")
    job = fake.add_job(provision_data={"a": 1}, job_status_webhook="http://hook.test/x")
    fake.wait_complete(job)
    wait_for(lambda: "job_end" in job.event_names())
    event = next(e for e in job.events if e["event_name"] == "provision_fail")
    assert event["detail"] == "ProvisioningError: no power caused by OSError"


def test_a_failed_recovery_takes_the_agent_offline(fake, make_agent):
    make_agent(provision_command="exit 46", test_command="echo no", cleanup_command="true")
    job = fake.add_job(provision_data={"a": 1}, test_data={"a": 1},
                       job_status_webhook="http://hook.test/x")
    later = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    wait_for(lambda: fake.agent["state"] == "offline")
    assert job.definition["job_id"] in fake.agent["comment"]
    assert job.status == {"provision": 46, "cleanup": 0}
    assert "recovery_fail" in job.event_names()
    assert "provision_fail" not in job.event_names()
    looked = len(fake.seen("GET", "/v1/agents/data/agent-1"))
    wait_for(lambda: len(fake.seen("GET", "/v1/agents/data/agent-1")) > looked + 1)
    assert later.state == "waiting"
    fake.agent["state"] = "waiting"
    fake.wait_complete(later)


def test_serial_logs_are_sent_after_the_phase(fake, make_agent):
    make_agent(test_command="printf 'boot\\303\\244\\377 s3cret' > test-serial.log")
    job = fake.add_job(test_data={"secrets": {"A": "s3cret"}})
    fake.wait_complete(job)
    assert job.log("test", "serial") == "bootä\ufffd **1ec1c2**"


def test_jobs_follow_each_other_without_pause(fake, make_agent):
    jobs = [fake.add_job(test_data={"a": 1}) for _ in range(5)]
    make_agent(test_command="true", polling_interval=3600)
    for job in jobs:
        fake.wait_complete(job)
    assert [job.completions for job in jobs] == [1] * 5


def test_an_allocated_job_waits_for_its_parent(fake, make_agent):
    parent = fake.add_job(job_queue="elsewhere")
    make_agent(allocate_command="echo '{\"device_info\": {}}' > device-info.json",
               reserve_command="true")
    job = fake.add_job(allocate_data={"allocate": True}, reserve_data={"a": 1},
                       parent_job_id=parent.definition["job_id"])
    wait_for(lambda: "allocated" in job.states)
    wait_for(lambda: len(fake.seen("GET", f"/v1/result/{parent.definition['job_id']}")) > 1)
    assert "reserve" not in job.states
    parent.state = "complete"
    fake.wait_complete(job)
    assert job.status == {"allocate": 0, "reserve": 0}
