# SPDX-License-Identifier: GPL-3.0-or-later
"""Type script: every stage is a command of the configuration."""
import json
import re
import subprocess

import pytest
import yaml

from agent import wait_gone
from connector import JOB_ID, stopped
from console import Console
from programs import ROOT

STAGES = ("provision", "firmware_update", "runtest", "allocate", "reserve", "cleanup")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_its_command(make, stage):
    connector = make("script", **{f"{stage}_command": "pwd; echo $TESTFLINGER_STAGE for $DEVICE_IP"})
    assert connector.good(stage) == f"{connector.dir}\n{stage} for 127.0.0.1\n"
    assert connector.failure(stage) is None
    assert (connector.dir / "device-info.json").exists() == (stage in ("provision", "allocate"))


@pytest.mark.parametrize("status", [1, 3, 255])
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "runtest"])
def test_a_command_that_fails_is_told_with_what_it_said_last(make, stage, status):
    connector = make("script", **{
        f"{stage}_command": f"echo on the way; echo first >&2; echo no power >&2; exit {status}"})
    done = connector.run(stage)
    assert done.returncode == 1 and "on the way\n" in done.stdout and "no power\n" in done.stdout
    name, message, cause = connector.failure(stage)
    assert name.endswith("Error") and message == f"the {stage} command ended with {status}"
    assert cause == "first\nno power"


def test_what_a_test_ends_with_is_the_result_of_the_stage(make):
    connector = make("script", runtest_command="echo bad >&2; exit 9")
    assert connector.run("runtest").returncode == 9
    assert connector.failure("runtest") == ("TestError", "the runtest command ended with 9", "bad")


@pytest.mark.parametrize("stage", STAGES)
def test_46_passes_through(make, stage):
    connector = make("script", **{f"{stage}_command": "exit 46"})
    assert connector.run(stage).returncode == 46
    assert connector.failure(stage)[0] == "RecoveryError"


def test_only_the_last_lines_of_a_long_complaint_are_told(make):
    connector = make("script", provision_command="seq 100000 >&2; printf '\\377 the end\\n' >&2; exit 1")
    connector.job["provision_data"] = {}
    process = connector.start("provision")
    assert process.wait() == 1
    assert process.log.read_bytes().startswith(b"1\n2\n3\n")
    cause = connector.failure("provision")[2]
    assert cause.endswith("\n100000\n\ufffd the end") and len(cause) < 2100
    assert re.match(r"\d{5}\n", cause)


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(make):
    connector = make("script", provision_command="sleep 54321 & sleep 54321", provision_timeout=0.2)
    assert connector.run("provision").returncode == 1
    assert "took longer" in connector.failure("provision")[2]
    wait_gone("sleep 54321")


def test_a_signal_ends_a_command(make):
    connector = make("script", provision_command="echo started; sleep 43210")
    process = connector.start("provision")
    process.until(lambda: "started" in process.output())
    assert stopped(process) == 128 + 15
    wait_gone("sleep 43210")


def test_without_commands_there_is_nothing_to_do_but_tests_and_reservations(make):
    connector = make("script", device_ip="127.0.0.1")
    for stage in ("provision", "allocate", "cleanup"):
        assert connector.good(stage) == ""
    assert connector.good("runtest", test_data={"test_cmds": "echo tested"}) == "tested\n"
    assert "TESTFLINGER SYSTEM RESERVED" in connector.good("reserve", reserve_data={"timeout": 0})
    assert connector.run("firmware_update").returncode == 1
    assert connector.failure("firmware_update")[0] == "JobError"


@pytest.mark.parametrize("key, value", [("provision_command", ["a"]), ("provision_command", 5.5),
                                        ("provision_timeout", "soon"), ("provision_timeout", -1)])
def test_a_wrong_value_names_its_key(make, key, value):
    connector = make("script", **{key: value})
    assert connector.run("provision").returncode == 1
    name, message, _ = connector.failure("provision")
    assert name == "ConfigurationError" and key in message


def test_the_console_is_captured_while_a_command_of_the_lab_tests(make):
    console = Console()
    try:
        connector = make("script", runtest_command="while [ ! -s test-serial.log ]; do sleep 0.05; done",
                         **console.config)
        process = connector.start("runtest")
        console.wait_connections(1)
        console.write(b"hello")
        assert process.wait() == 0
        assert connector.read("test-serial.log") == "hello"
    finally:
        console.stop()


def variables(connector, /, **job):
    """The variables that a command gets for a job, and what was said about those it does not."""
    connector.config["provision_command"] = "env -0 >variables"
    connector.job.update(job)
    said = connector.good("provision")
    pairs = (item.split("=", 1) for item in connector.read("variables").split("\0") if item)
    return {name: value for name, value in pairs
            if name.startswith("TESTFLINGER_") and name != "TESTFLINGER_CONNECTOR_WRAPPER"}, said


def test_the_job_is_in_variables_and_in_a_file(make):
    connector = make("script")
    found, said = variables(connector, job_priority=5, debug=True, tags=["a", "b"], name=None, provision_data={
        "url": "http://localhost/image", "disks": [{"size": 20}, {"size": 1.5}], "ephemeral": False},
        test_data={"test_cmds": "echo 'a\nb'", "test_username": "ü"})
    job_file, config_file = found.pop("TESTFLINGER_JOB_FILE"), found.pop("TESTFLINGER_CONFIG_FILE")
    assert found == {
        "TESTFLINGER_STAGE": "provision",
        "TESTFLINGER_JOB_ID": JOB_ID,
        "TESTFLINGER_JOB_QUEUE": "q1",
        "TESTFLINGER_JOB_PRIORITY": "5",
        "TESTFLINGER_DEBUG": "true",
        "TESTFLINGER_TAGS_0": "a",
        "TESTFLINGER_TAGS_1": "b",
        "TESTFLINGER_PROVISION_URL": "http://localhost/image",
        "TESTFLINGER_PROVISION_DISKS_0_SIZE": "20",
        "TESTFLINGER_PROVISION_DISKS_1_SIZE": "1.5",
        "TESTFLINGER_PROVISION_EPHEMERAL": "false",
        "TESTFLINGER_TEST_TEST_CMDS": "echo 'a\nb'",
        "TESTFLINGER_TEST_TEST_USERNAME": "ü",
    }
    assert said == ""
    with open(job_file, encoding="utf-8") as file:
        assert json.load(file) == connector.job
    with open(config_file, encoding="utf-8") as file:
        assert json.load(file) == connector.config


def test_odd_keys_and_equal_names(make):
    found, said = variables(make("script"), provision_data={
        "a-b": "first", "a.b": "second", "a_b": "third", "ä": "umlaut", "": "nameless", "x y": "blank"})
    assert found["TESTFLINGER_PROVISION_A_B"] == "first"
    assert found["TESTFLINGER_PROVISION_X_Y"] == "blank"
    assert found["TESTFLINGER_PROVISION___"] == "umlaut"
    assert found["TESTFLINGER_PROVISION_"] == "nameless"
    assert said.count("TESTFLINGER_PROVISION_A_B: the name is taken") == 2


def test_a_job_cannot_take_names_that_are_there(make):
    connector = make("script")
    connector.env["TESTFLINGER_AGENT_JOB"] = "the agent's own"
    found, said = variables(connector, stage="mine", job_file="/etc/passwd", agent={"job": "mine"})
    assert found["TESTFLINGER_STAGE"] == "provision"
    assert found["TESTFLINGER_JOB_FILE"].endswith("testflinger.json")
    assert found["TESTFLINGER_AGENT_JOB"] == "the agent's own"
    assert said.count("the name is taken") == 3


def test_what_does_not_fit_into_an_environment_is_left_out_and_told(make):
    found, said = variables(make("script"), provision_data={
        "nul": "a\0b", "big": "x" * 200_000, "k" * 300: {"inner": 1, "other": 2},
        "many": ["y" * 60_000] * 20, "small": "z"})
    assert "TESTFLINGER_PROVISION_NUL" not in found and "TESTFLINGER_PROVISION_NUL: " in said
    assert "TESTFLINGER_PROVISION_BIG" not in found and "TESTFLINGER_PROVISION_BIG: " in said
    assert said.count("its name is too long") == 2
    assert "TESTFLINGER_PROVISION_MANY_7" in found and "TESTFLINGER_PROVISION_MANY_19" not in found
    assert found["TESTFLINGER_PROVISION_SMALL"] == "z"


def test_secrets_are_not_doubled_under_other_names(make):
    found, _ = variables(make("script"), test_data={"test_cmds": "true", "secrets": {"TOKEN": "s3cret"}})
    assert not any("s3cret" in value for value in found.values())


def test_the_example_is_well_formed_and_says_what_is_missing(make):
    connector = make("script")
    connector.config = yaml.safe_load((ROOT / "examples" / "script-connector.yaml").read_text())
    connector.config["serial_host"] = None
    for stage in ("provision", "cleanup"):
        subprocess.run(["sh", "-n", "-c", connector.config[f"{stage}_command"]], check=True, timeout=60)
    assert connector.run("provision").returncode == 1
    assert connector.failure("provision")[2] == "the job has no provision_data.url"
