# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service manager hears of an agent, and the units."""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import uuid

import pytest

from programs import program
from wait import wait_for

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"


class Manager:
    """The socket that systemd would listen on, read as it is by systemd: always.  It takes some ten
    messages, then whoever sends one waits."""

    def __init__(self):
        name = f"testflinger-tests-{uuid.uuid4()}"
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + name)
        self.sock.setblocking(False)
        self.env = {"NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "600000"}
        self.heard = []
        self.lock = threading.Lock()
        self.closed = threading.Event()
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self):
        while not self.closed.is_set():
            select.select([self.sock], [], [], 0.1)
            self.messages()

    def close(self):
        self.closed.set()
        self.reader.join(10)
        self.sock.close()

    def messages(self):
        with self.lock:
            while True:
                try:
                    self.heard += self.sock.recv(65536).decode().splitlines()
                except BlockingIOError:
                    return list(self.heard)

    def has(self, message):
        return message in self.messages()


@pytest.fixture
def manager():
    made = Manager()
    yield made
    made.close()


@pytest.fixture
def other_manager():
    made = Manager()
    yield made
    made.close()


def test_the_manager_hears_of_the_whole_life(fake, make_agent, manager):
    agent = make_agent(env=manager.env, test_command="echo begun; sleep 1000",
                       cleanup_command="true")
    wait_for(lambda: manager.has("STATUS=waiting for a job"))
    job = fake.add_job(test_data={"a": 1})
    job_id = job.definition["job_id"]
    wait_for(lambda: manager.has(f"STATUS=job {job_id}: test"))
    fake.cancel(job)
    fake.wait_complete(job)
    wait_for(lambda: manager.messages().count("STATUS=waiting for a job") == 2)
    assert agent.stop() == 0
    heard = [message for message in manager.messages() if message != "WATCHDOG=1"]
    assert heard == ["READY=1", "STATUS=starting", "STATUS=waiting for a job",
                     f"STATUS=job {job_id}: test", f"STATUS=job {job_id}: cleanup",
                     "STATUS=waiting for a job", "STATUS=ending", "STOPPING=1",
                     "EXTEND_TIMEOUT_USEC=15000000"]


def test_the_watchdog_is_fed_also_while_a_command_runs(fake, make_agent, manager):
    make_agent(env=manager.env, test_command="echo begun; sleep 1000")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    fed = manager.messages().count("WATCHDOG=1")
    wait_for(lambda: manager.messages().count("WATCHDOG=1") > fed + 2)
    fake.cancel(job)


def test_an_agent_that_hangs_does_not_feed_the_watchdog(fake, make_agent, manager, other_manager):
    agent = make_agent(env=manager.env)
    wait_for(lambda: manager.messages().count("WATCHDOG=1") > 2)
    make_agent(env=other_manager.env, name="agent-2")
    agent.process.send(signal.SIGSTOP)
    stat = pathlib.Path(f"/proc/{agent.process.pid}/stat")
    wait_for(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T")
    fed = manager.messages().count("WATCHDOG=1")
    try:
        meanwhile = other_manager.messages().count("WATCHDOG=1") + 3
        wait_for(lambda: other_manager.messages().count("WATCHDOG=1") > meanwhile)
        assert manager.messages().count("WATCHDOG=1") == fed
    finally:
        agent.process.send(signal.SIGCONT)
    wait_for(lambda: manager.messages().count("WATCHDOG=1") > fed)


def test_an_agent_is_ready_while_the_server_is_away(fake, make_agent, manager):
    fake.stop()
    make_agent(env=manager.env)
    wait_for(lambda: manager.has("STATUS=the server does not answer"))
    assert manager.has("READY=1")
    fake.start()
    wait_for(lambda: manager.has("STATUS=waiting for a job"))


def test_an_agent_that_is_offline_says_so(fake, make_agent, manager):
    make_agent(env=manager.env)
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    fake.agent.update(state="maintenance", comment="new disk")
    wait_for(lambda: manager.has("STATUS=out of service: maintenance"))
    fake.agent["state"] = "waiting"
    wait_for(lambda: manager.messages().count("STATUS=waiting for a job") == 2)


def test_a_shutdown_in_mid_job_asks_for_the_time_it_may_take(fake, make_agent, manager):
    agent = make_agent(env=manager.env, stop_timeout=300, test_command="echo begun; sleep 1000")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    assert agent.stop() == 0
    assert manager.has("EXTEND_TIMEOUT_USEC=310000000")
    assert manager.messages().count("STOPPING=1") == 1


def test_commands_are_not_given_what_is_between_agent_and_manager(fake, make_agent, manager):
    make_agent(env={**manager.env, "INFLUX_PW": "hush-hush", "OTHER": "given"}, test_command="env")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert "OTHER=given" in job.log("test")
    assert not re.search("NOTIFY_SOCKET|WATCHDOG|INFLUX_PW", job.log("test"))


# --- the units ------------------------------------------------------------------------

def analyze(*arguments):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, check=False, env={**os.environ, "SYSTEMD_COLORS": "0"})
    if "Failed to initialize manager" in done.stderr:
        pytest.skip(f"systemd-analyze cannot run here: {done.stderr.strip()}")
    return done


@pytest.fixture(params=["testflinger-agent.service", "testflinger-agent@.service"])
def unit(request, tmp_path):
    """With the program that was built: verify looks whether it is there."""
    path = tmp_path / request.param.replace("@", "@lab-1")
    text = (DATA / request.param).read_text()
    path.write_text(text.replace("/usr/bin/testflinger-agent", program("testflinger-agent")))
    return path


def test_systemd_finds_nothing_wrong_with_the_units(unit):
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout) == (0, "")
    assert unit.name not in done.stderr


def test_the_sandbox_is_no_weaker_than_it_was(unit):
    done = analyze("security", "--offline=true", "--threshold=54", unit)
    assert done.returncode == 0, done.stdout + done.stderr


def settings(name):
    lines = (DATA / name).read_text().replace("\\\n", "").splitlines()
    return {key: value for key, value in (line.split("=", 1) for line in lines
                                          if "=" in line and not line.startswith("#"))}


def test_both_units_say_the_same():
    one, many = settings("testflinger-agent.service"), settings("testflinger-agent@.service")
    assert one.keys() == many.keys()
    assert {key for key in one if one[key] != many[key]} == {
        "Description", "ExecStart", "StateDirectory", "LogsDirectory", "WorkingDirectory"}
