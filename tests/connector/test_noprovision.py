# SPDX-License-Identifier: GPL-3.0-or-later
"""The device is taken as it is, if it answers over ssh."""
import getpass
import shutil

import pytest

from connector import stopped
from ports import free_port
from sshd import Sshd, with_password


def test_a_device_that_answers_is_provisioned(make, sshd):
    connector = make("noprovision", **sshd.config)
    out = connector.good("provision", test_data=sshd.test_data)
    assert "127.0.0.1" in out and connector.failure("provision") is None
    assert connector.json("device-info.json")["device_info"]["device_ip"] == "127.0.0.1"


def test_a_device_that_comes_up_late_is_waited_for(make, tmp_path):
    late = Sshd(tmp_path)
    connector = make("noprovision", **{**late.config, "ssh_tries": 1000, "ssh_pause": 0.05})
    process = connector.start("provision", test_data=late.test_data)
    try:
        # it has written device-info.json before it tries
        process.until((connector.dir / "device-info.json").exists)
        late.start()
        assert process.wait() == 0, process.output()
    finally:
        late.stop()
        process.stop()


def test_a_device_that_does_not_answer_is_a_failure_after_all_tries(make):
    connector = make("noprovision", ssh_port=free_port())
    done = connector.run("provision")
    assert done.returncode == 1
    name, message, cause = connector.failure("provision")
    assert name == "ProvisioningError" and "127.0.0.1" in message and "refused" in cause


def test_a_device_that_refuses_the_user_is_a_failure(make, sshd):
    connector = make("noprovision", **sshd.config)
    assert connector.run("provision", test_data={"test_username": "nobody-of-the-tests"}).returncode == 1
    assert "ermission denied" in connector.failure("provision")[2]


def test_the_lab_says_who_logs_in_unless_the_job_does(make, sshd):
    connector = make("noprovision", **sshd.config, ssh_user=sshd.user)
    connector.good("provision")
    connector.config["ssh_user"] = "-oProxyCommand=touch made"
    connector.good("provision", test_data=sshd.test_data)
    assert connector.run("provision", test_data={}).returncode == 1
    assert connector.failure("provision")[0] == "ConfigurationError"
    assert not (connector.dir / "made").exists()


@pytest.mark.parametrize("name", ["-oProxyCommand=touch made", "a b", "a@b", "", "-l"])
def test_a_user_name_cannot_be_an_option(make, sshd, name):
    connector = make("noprovision", **sshd.config)
    done = connector.run("provision", test_data={"test_username": name})
    assert done.returncode == 1 and not (connector.dir / "made").exists()
    assert name == "" or connector.failure("provision")[0] == "JobError"


@pytest.mark.parametrize("name", ["-oProxyCommand=touch made", "", "a b"])
def test_an_address_cannot_be_an_option(make, name):
    connector = make("noprovision", device_ip=name)
    assert connector.run("provision").returncode == 1
    assert connector.failure("provision")[0] == "ConfigurationError"
    assert not (connector.dir / "made").exists()


def test_a_signal_ends_the_wait_for_a_device(make):
    connector = make("noprovision", ssh_port=free_port(), ssh_tries=1000, ssh_pause=3600)
    process = connector.start("provision")
    process.until((connector.dir / "device-info.json").exists)
    assert stopped(process) == 128 + 15


@pytest.mark.parametrize("key, value", [("ssh_port", "x"), ("ssh_port", 65536), ("ssh_tries", -1),
                                        ("ssh_pause", "soon"), ("ssh_pause", [1])])
def test_a_wrong_value_in_the_configuration_names_its_key(make, key, value):
    connector = make("noprovision", **{key: value})
    assert connector.run("provision").returncode == 1
    name, message, _ = connector.failure("provision")
    assert name == "ConfigurationError" and key in message


def test_a_password_is_given_to_ssh_by_the_environment(make, tmp_path):
    """sshpass and ssh stand for themselves here: what matters is how they are called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sshpass").write_text('#!/bin/sh\necho "$SSHPASS" >password\n[ "$1" = -e ] && shift\n'
                                      'echo "$@" >line\n')
    (programs / "sshpass").chmod(0o755)
    connector = make("noprovision")
    connector.env["PATH"] = f"{programs}:/usr/bin:/bin"
    connector.good("provision", test_data={"test_username": getpass.getuser(), "test_password": "p4ss"})
    assert connector.read("password") == "p4ss\n"
    assert connector.read("line").startswith("ssh ") and "p4ss" not in connector.read("line")


def test_a_device_is_logged_in_to_by_password(make, tmp_path):
    if not shutil.which("sshpass"):
        pytest.skip("sshpass is not installed")
    device = Sshd(tmp_path)
    device.keys.write_text("")
    device.start(with_password(tmp_path, device.user, "p4ss of the tests"), passwords="yes")
    try:
        connector = make("noprovision", **device.config)
        connector.good("provision", test_data={**device.test_data, "test_password": "p4ss of the tests"})
        connector.job["test_data"]["test_password"] = "another"
        assert connector.run("provision").returncode == 1
        assert connector.failure("provision")[0] == "ProvisioningError"
        assert "another" not in str(connector.failure("provision"))
    finally:
        device.stop()
