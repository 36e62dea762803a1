# SPDX-License-Identifier: GPL-3.0-or-later
"""Reservations: keys, what is told, and the end.  ssh-import-id asks sites in the internet, so a
program of that name stands in for it; ssh-copy-id and sshd are the real ones."""
import re
import signal
import time

import pytest

from connector import JOB_ID, stopped
from sshd import make_key

RESERVED = "*** TESTFLINGER SYSTEM RESERVED ***"

# lp:NAME is read from keys/NAME.pub; gh:flaky works at the third try; all tries are counted
IMPORTER = """#!/bin/sh
while [ $# -gt 1 ]; do
    [ "$1" = -o ] && out=$2
    shift
done
echo "$1" >>{dir}/asked
case $1 in
gh:flaky) [ "$(grep -c flaky {dir}/asked)" -ge 3 ] || exit 1; cp {dir}/flaky.pub "$out" ;;
lp:slow) exec sleep 65432 ;;
*)
    name=${{1#??:}}
    [ -e "{dir}/$name.pub" ] || {{ echo "no such user $name" >&2; exit 1; }}
    cp "{dir}/$name.pub" "$out" ;;
esac
"""


@pytest.fixture
def importer(tmp_path):
    """A directory of programs with an ssh-import-id that knows the keys in it."""
    directory = tmp_path / "bin"
    directory.mkdir()
    program = directory / "ssh-import-id"
    program.write_text(IMPORTER.format(dir=directory))
    program.chmod(0o755)
    return directory


@pytest.fixture
def reserve(make, sshd, importer, monkeypatch):
    monkeypatch.setenv("PATH", f"{importer}:/usr/sbin:/usr/bin:/sbin:/bin")
    connector = make("noprovision", **sshd.config)
    before = sshd.keys.read_text()

    def start(keys=(), timeout=0, **more):
        return connector.start("reserve", test_data=sshd.test_data,
                               reserve_data={"ssh_keys": list(keys), "timeout": timeout, **more})
    start.connector = connector
    yield start
    sshd.keys.write_text(before)


def finished(process, status=0):
    assert process.wait() == status, process.output()
    return process.output()


def test_a_key_is_imported_and_may_log_in(reserve, importer, sshd):
    key = make_key(importer / "alice")
    out = finished(reserve(["lp:alice"]))
    assert "lp:alice may log in on 127.0.0.1" in out
    # who has the private half can use the device now
    connector = reserve.connector
    connector.config["ssh_identity"] = str(key)
    connector.good("provision")
    assert not list(connector.dir.glob("*.pub"))
    assert sshd.keys.read_text().count("alice") == 1


def test_all_that_people_need_is_told(reserve, sshd):
    reserve.connector.config.update(serial_host="10.9.8.7", serial_port=2001)
    out = finished(reserve(timeout=0))
    assert RESERVED + "\n" in out
    assert f"connect to {sshd.user}@127.0.0.1" in out and f"-p {sshd.port}" in out
    assert "telnet 10.9.8.7 2001" in out
    now, end = re.findall(r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d) UTC\]", out)
    assert now == end
    assert f"testflinger cancel {JOB_ID}" in out


@pytest.mark.parametrize("timeout, seconds", [(90, 90), ("1h30m", 5400), (None, 3600), ("7200", 7200)])
def test_the_time_is_the_job_s(reserve, timeout, seconds):
    process = reserve(timeout=timeout)
    process.until(lambda: "cancel" in process.output())
    now, end = (time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
                for text in re.findall(r"\[(\S+) UTC\]", process.output()))
    assert end - now == seconds
    assert stopped(process) == 128 + 15


def test_the_lab_limits_the_time(reserve):
    reserve.connector.config["reserve_max"] = "2m"
    process = reserve(timeout=3600)
    process.until(lambda: "cancel" in process.output())
    assert "at most 120 seconds" in process.output() and "after 120 seconds" in process.output()
    stopped(process)


def test_a_timeout_that_is_none_is_the_job_s_fault(reserve):
    finished(reserve(timeout="soon"), 1)
    assert reserve.connector.failure("reserve")[0] == "JobError"


def test_it_ends_by_itself_when_the_time_is_over(reserve):
    out = finished(reserve(timeout=1))
    assert out.endswith("The reservation is over.\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_when_it_is_cancelled(reserve, number):
    process = reserve(timeout=3600)
    process.until(lambda: "cancel" in process.output())
    assert stopped(process, number) == 128 + number
    assert process.output().endswith("The reservation is ended.\n")


def test_a_key_that_cannot_be_imported_is_told_and_the_others_work(reserve, importer):
    make_key(importer / "bob")
    out = finished(reserve(["lp:nobody", "gh:bob"]))
    assert re.search(r"lp:nobody cannot be used: ssh-import-id ended with 1: no such user nobody", out)
    assert "gh:bob may log in" in out and RESERVED in out
    assert (importer / "asked").read_text().split() == ["lp:nobody"] * 10 + ["gh:bob"]


def test_an_import_is_tried_again(reserve, importer):
    make_key(importer / "flaky")
    assert "gh:flaky may log in" in finished(reserve(["gh:flaky"]))
    assert (importer / "asked").read_text().split() == ["gh:flaky"] * 3


@pytest.mark.parametrize("key", ["-o", "lp:", "xx:a", "lp:a b", 5, None, "--help"])
def test_what_is_no_name_of_a_key_is_never_looked_for(reserve, importer, key):
    assert "cannot be used" in finished(reserve([key]))
    assert not (importer / "asked").exists()


def test_a_device_that_cannot_be_reached_is_told_and_stays_reserved(reserve, importer):
    make_key(importer / "alice")
    reserve.connector.config["ssh_port"] = 1
    out = finished(reserve(["lp:alice"]))
    assert "lp:alice cannot be used on 127.0.0.1: ssh-copy-id ended with" in out and RESERVED in out


def test_a_missing_program_is_told(reserve, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    out = finished(reserve(["lp:alice"]))
    assert "ssh-import-id" in out and RESERVED in out


def test_a_cancel_while_a_key_is_imported_ends_it(reserve, importer):
    process = reserve(["lp:slow", "lp:other"], timeout=3600)
    asked = importer / "asked"
    process.until(lambda: asked.exists() and "lp:slow\n" in asked.read_text())
    assert stopped(process) == 128 + 15
    assert RESERVED not in process.output()
    assert asked.read_text() == "lp:slow\n"


def test_keys_of_the_lab_may_always_log_in(reserve, importer, sshd):
    keys = [make_key(importer / name) for name in ("operator", "robot")]
    reserve.connector.config["ssh_authorized_keys"] = [
        (importer / f"{key.name}.pub").read_text().strip() for key in keys]
    assert "of the lab may log in" in finished(reserve())
    for key in keys:
        reserve.connector.config["ssh_identity"] = str(key)
        reserve.connector.good("provision")


@pytest.mark.parametrize("value", ["ssh-ed25519 AAAA", [5], {"a": "b"}])
def test_keys_of_the_lab_that_are_none_are_the_lab_s_fault(reserve, value):
    reserve.connector.config["ssh_authorized_keys"] = value
    finished(reserve(), 1)
    assert reserve.connector.failure("reserve")[0] == "ConfigurationError"


def test_a_reservation_without_reserve_data_is_an_hour_s(reserve):
    connector = reserve.connector
    process = connector.start("reserve")
    process.until(lambda: "cancel" in process.output())
    assert "after 3600 seconds" in process.output()
    stopped(process)
