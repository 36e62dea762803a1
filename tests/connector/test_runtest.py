# SPDX-License-Identifier: GPL-3.0-or-later
"""The job's test commands, by the built-in runtest."""
import os
import signal
import subprocess

import pytest

from agent import processes_with, wait_gone
from connector import UNDER_VALGRIND, stopped
from wait import wait_for


@pytest.mark.parametrize("commands, status, output", [
    ("echo one\necho two\n", 0, "one\ntwo\n"),
    ("exit 7", 7, ""),
    ("exit 46", 46, ""),
    ("kill -9 $$", 128 + 9, ""),
    ("false\necho on", 0, "on\n"),
    ("#!/bin/bash -e\necho ${BASH_VERSION:+bash}\nfalse\necho never", 1, "bash\n"),
    ("#! /usr/bin/python3\nprint(6 * 7)", 0, "42\n"),
    ("echo out; echo err >&2", 0, "out\nerr\n"),
    ("printf 'no end of line'", 0, "no end of line"),
    ("read line; echo got $?", 0, "got 1\n"),
    ("", 0, ""),
    (["echo one", "echo two"], 0, "one\ntwo\n"),
    ([], 0, ""),
])
def test_commands_are_run_and_their_status_is_the_stage_s(make, commands, status, output):
    connector = make("fake_connector")
    done = connector.run("runtest", test_data={"test_cmds": commands})
    assert (done.returncode, done.stdout) == (status, output)
    assert connector.failure("runtest") is None


def test_a_list_ends_at_the_first_command_that_fails(make):
    done = make("fake_connector").run("runtest", test_data={
        "test_cmds": ["echo one", "echo two; exit 5", "echo three"]})
    assert done.returncode == 5
    assert done.stdout.startswith("one\ntwo\n") and "2 of 3 ended with 5" in done.stdout
    assert "three" not in done.stdout


@pytest.mark.parametrize("commands", [5, {"a": "b"}, [1], [None], True])
def test_commands_that_are_none_are_the_job_s_fault(make, commands):
    connector = make("fake_connector")
    assert connector.run("runtest", test_data={"test_cmds": commands}).returncode == 1
    assert connector.failure("runtest")[0] == "JobError"


def test_a_job_without_commands_has_nothing_to_run(make):
    assert make("fake_connector").good("runtest", test_data={"attachments": []}) == ""
    assert make("fake_connector").good("runtest", test_data=None) == ""


@pytest.mark.skipif(UNDER_VALGRIND, reason="valgrind does not tell why a program could not be started")
def test_an_interpreter_that_is_not_there_is_told(make):
    connector = make("fake_connector")
    assert connector.run("runtest", test_data={"test_cmds": "#!/no/such\n"}).returncode == 1
    assert connector.failure("runtest")[0] == "TestError"


@pytest.mark.parametrize("config, job, said", [
    ({}, {}, "ubuntu::"),
    ({"ssh_user": "lab", "ssh_port": 2022, "ssh_identity": "/key"}, {}, "lab:2022:/key"),
    ({"ssh_user": "lab"}, {"test_username": "mine"}, "mine::"),
])
def test_commands_are_told_how_to_log_in(make, config, job, said):
    out = make("fake_connector", **config).good("runtest", test_data={
        **job, "test_cmds": "echo $DEVICE_SSH_USER:$DEVICE_SSH_PORT:$DEVICE_SSH_IDENTITY"})
    assert out == said + "\n"


def test_commands_get_the_environment_of_the_lab_and_of_the_agent(make):
    connector = make("fake_connector", env={"SITE": "north", "COUNT": 3, "PATH_OF": "/a b"},
                     reboot_script=["snmpset a", "snmpset b"])
    connector.env = {"A_SECRET": "from the agent", "SITE": "overruled"}
    out = connector.good("runtest", test_data={"test_cmds": "\n".join(
        f'echo "{name}=${name}"' for name in
        ("SITE", "COUNT", "PATH_OF", "DEVICE_IP", "AGENT_NAME", "REBOOT_SCRIPT", "A_SECRET"))})
    assert out == ("SITE=north\nCOUNT=3\nPATH_OF=/a b\nDEVICE_IP=127.0.0.1\nAGENT_NAME=agent-1\n"
                   "REBOOT_SCRIPT=snmpset a\nsnmpset b\nA_SECRET=from the agent\n")


@pytest.mark.parametrize("env", [["A=b"], "A=b", {"A": {"b": 1}}, {"A=B": "c"}, {"": "c"}])
def test_an_environment_that_is_none_is_the_lab_s_fault(make, env):
    connector = make("fake_connector", env=env)
    assert connector.run("runtest", test_data={"test_cmds": "true"}).returncode == 1
    assert connector.failure("runtest")[0] == "ConfigurationError"


def test_commands_run_in_the_job_s_directory_with_standard_signals_and_no_descriptors(make):
    connector = make("fake_connector")
    out = connector.good("runtest", test_data={
        "test_cmds": "pwd\ngrep -E '^Sig(Blk|Ign)' /proc/self/status\nls /proc/self/fd | wc -l\n"})
    lines = out.split()
    assert lines[0] == str(connector.dir)
    # 32 and 33 are the C library's own
    assert [int(lines[2], 16), int(lines[4], 16) & ~(3 << 31)] == [0, 0]
    assert int(lines[5]) == 4  # the fourth is ls's own


def test_a_megabyte_of_output_is_not_touched(make):
    data = os.urandom(1 << 20).replace(b"\n", b".")
    connector = make("fake_connector")
    (connector.dir / "data").write_bytes(data)
    process = connector.start("runtest", test_data={"test_cmds": "cat data"})
    assert process.wait() == 0
    assert process.log.read_bytes() == data


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_commands_and_what_they_started(make, number):
    connector = make("fake_connector")
    process = connector.start("runtest", test_data={
        "test_cmds": "sleep 98765 & echo started; sleep 98765"})
    process.until(lambda: "started" in process.output())
    assert processes_with("sleep 98765")
    assert stopped(process, number) == 128 + number
    wait_gone("sleep 98765")


def test_commands_that_ignore_the_signal_are_killed(make):
    connector = make("fake_connector")
    process = connector.start("runtest", test_data={
        "test_cmds": "trap '' TERM; echo started; while :; do sleep 0.1; done"})
    process.until(lambda: "started" in process.output())
    assert stopped(process) == 128 + 15


def test_what_commands_leave_running_is_not_waited_for(make):
    connector = make("fake_connector")
    process = connector.start("runtest", test_data={"test_cmds": "sleep 87654 & echo done"})
    try:
        assert process.wait() == 0
        wait_for(lambda: "done" in process.output())
    finally:
        for pid in processes_with("sleep 87654"):
            os.kill(pid, signal.SIGKILL)


def test_the_status_is_known_also_where_ended_children_are_ignored(make):
    connector = make("fake_connector")
    connector.job["test_data"] = {"test_cmds": "exit 7"}
    done = subprocess.run(connector.command("runtest"), cwd=connector.dir, timeout=60, check=False,
                          preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert done.returncode == 7
