# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for all types: arguments, files, failures."""
import json
import re
import subprocess

import pytest

from programs import ROOT, program


def run(*arguments, cwd=None):
    return subprocess.run([program("testflinger-device-connector"), *arguments], text=True, cwd=cwd,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [
    [], ["fake_connector"], ["fake_connector", "provision"], ["nothing", "provision", "-c", "x"],
    ["fake_connector", "nothing", "-c", "x"], ["fake_connector", "provision", "-c", "x", "a", "b"],
    ["--nothing"], ["fake_connector", "provision", "-c"]])
def test_wrong_usage_is_said_and_has_a_status_of_its_own(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_help_names_every_type_and_stage():
    done = run("--help")
    assert done.returncode == 0
    for word in ("fake_connector", "noprovision", "provision", "firmware_update", "runtest", "allocate",
                 "reserve", "cleanup"):
        assert f"\n  {word} " in done.stdout
    assert run("--version").stdout.startswith("testflinger-device-connector ")


def test_the_completion_knows_the_types_and_stages_of_the_program():
    completion = (ROOT / "data" / "completion" / "testflinger-device-connector").read_text()
    shown = run("--help").stdout.split("\nTypes:\n")[1].split("\nStages:\n")
    for word, part in zip(("types", "stages"), shown):
        known = re.search(rf"local {word}='(.*)'", completion).group(1).split()
        assert known == re.findall(r"^  (\w+) ", part, re.M)


def test_a_configuration_that_is_not_there_is_a_failure_the_agent_is_told_of(tmp_path):
    done = run("fake_connector", "provision", "-c", "missing.yaml", "testflinger.json", cwd=tmp_path)
    assert done.returncode == 1 and "missing.yaml" in done.stderr
    told = json.loads((tmp_path / "device-connector-error.json").read_text())
    assert told["provision_exception_info"]["exception_name"] == "ConfigurationError"
    assert "missing.yaml" in told["provision_exception_info"]["exception_message"]


@pytest.mark.parametrize("text", ["- a list", "a: [", "just text", ""])
def test_a_configuration_that_is_no_mapping_is_refused(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    (tmp_path / "testflinger.json").write_text("{}")
    done = run("fake_connector", "cleanup", "-c", "c.yaml", cwd=tmp_path)
    assert done.returncode == 1 and "c.yaml" in done.stderr


@pytest.mark.parametrize("text", ["[]", "{", "null"])
def test_a_job_that_is_no_object_is_refused(tmp_path, text):
    (tmp_path / "c.yaml").write_text("device_ip: 10.0.0.1")
    (tmp_path / "testflinger.json").write_text(text)
    done = run("fake_connector", "cleanup", "-c", "c.yaml", cwd=tmp_path)
    assert done.returncode == 1
    told = json.loads((tmp_path / "device-connector-error.json").read_text())
    assert told["cleanup_exception_info"]["exception_name"] == "JobError"


@pytest.mark.parametrize("stage", ["provision", "allocate"])
@pytest.mark.parametrize("kind", ["fake_connector"])
def test_device_info_tells_which_device_it_is(make, kind, stage):
    connector = make(kind, device_ip="10.1.2.3", agent_name="lab-7")
    connector.good(stage)
    assert connector.json("device-info.json") == {
        "device_info": {"device_ip": "10.1.2.3", "agent_name": "lab-7"}}


def test_device_info_leaves_out_what_the_configuration_lacks(make):
    connector = make("fake_connector")
    del connector.config["device_ip"]
    connector.good("provision")
    assert connector.json("device-info.json") == {"device_info": {"agent_name": "agent-1"}}


def test_a_failure_leaves_those_of_other_stages_in_the_file(make):
    connector = make("noprovision", device_ip="not a host")
    before = {"setup_exception_info": {"exception_name": "A", "exception_message": "b"}}
    (connector.dir / "device-connector-error.json").write_text(json.dumps(before))
    assert connector.run("provision").returncode == 1
    told = connector.json("device-connector-error.json")
    assert told["setup_exception_info"] == before["setup_exception_info"]
    assert connector.failure("provision")[0] == "ConfigurationError"


def test_what_was_no_json_in_the_file_does_not_keep_the_failure_from_it(make):
    connector = make("noprovision", device_ip="not a host")
    command = connector.command("provision")
    (connector.dir / "device-connector-error.json").write_bytes(b"\xff{")
    assert run(*command[-5:], cwd=connector.dir).returncode == 1
    assert connector.failure("provision")[0] == "ConfigurationError"


def test_fake_connector_shows_what_it_was_given(make):
    connector = make("fake_connector")
    connector.job["provision_data"] = {"url": "http://localhost/image"}
    assert 'provision_data: {"url":"http://localhost/image"}' in connector.good("provision")
    connector.job["firmware_update_data"] = {"version": "latest"}
    assert 'firmware_update_data: {"version":"latest"}' in connector.good("firmware_update")
    assert connector.good("cleanup") == "" and connector.good("allocate") == ""


def test_a_stage_that_a_type_cannot_do_is_no_success(make):
    connector = make("noprovision")
    assert connector.run("firmware_update").returncode == 1
    assert connector.failure("firmware_update")[0] == "JobError"
    assert connector.good("cleanup") == "" and connector.good("allocate") == ""
