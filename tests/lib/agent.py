# SPDX-License-Identifier: GPL-3.0-or-later
"""testflinger-agent under test: its configuration file, its life, and what it may leave behind."""
import json
import os
import pathlib
import shlex
import signal

from programs import Process, program
from wait import wait_for

# small where the defaults are made for labs
QUICK = {
    "polling_interval": 1,
    "kill_grace": 1,
    "disk_min_free": 0,  # the tests say nothing about the disk of the machine they run on
    "cgroup": False,  # its name is that of the agent, of which many tests have the same
    "cancel_interval": 1,
    "stop_timeout": 20,
    "retry_pause_ms": 20,
    "server_pause_min": 1,
    "server_pause_max": 2,
}


def as_setting(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L" if value > 2**31 - 1 else str(value)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        groups = ", ".join("{ " + " ".join(f"{k} = {as_setting(v)};" for k, v in group.items())
                           + " }" for group in value)
        return f"( {groups} )"
    if isinstance(value, list):
        return "[ " + ", ".join(as_setting(item) for item in value) + " ]"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class Agent:
    """An agent with directories of its own below directory.

    $TESTFLINGER_AGENT_WRAPPER, if set, is put before the program ("valgrind …"), and so is prefix."""

    def __init__(self, directory, server_url, name="agent-1", token=None, env=None, prefix=(),
                 **options):
        self.dir = pathlib.Path(directory)
        self.name = name
        self.token = token
        self.env = env
        self.prefix = list(prefix)
        self.process = None
        self.options = {
            "agent_id": name,
            "server_address": server_url,
            "job_queues": ["q1"],
            "execution_basedir": str(self.dir / "run"),
            "logging_basedir": str(self.dir / "logs"),
            "results_basedir": str(self.dir / "results"),
            "lock_basedir": str(self.dir / "lock"),
            **QUICK,
            **options,
        }

    def write_config(self):
        path = self.dir / "testflinger-agent.conf"
        path.write_text("".join(f"{key} = {as_setting(value)};\n"
                                for key, value in self.options.items()))
        return path

    def command(self):
        command = self.prefix + shlex.split(os.environ.get("TESTFLINGER_AGENT_WRAPPER", ""))
        command += [program("testflinger-agent"), "-c", str(self.write_config())]
        if self.token:
            path = self.dir / "refresh_token"
            path.write_text(json.dumps({"refresh_token": self.token}))
            command += ["--token-file", str(path)]
        return command

    def start(self):
        self.process = Process(self.command(), self.dir / "agent.out", env=self.env)
        return self

    def stop(self, number=signal.SIGTERM, timeout_s=60):
        return self.process.stop(number, timeout_s)

    def kill(self):
        self.process.kill()

    def job_dir(self, job):
        return self.dir / "run" / job.definition["job_id"]

    def record(self, job):
        """Where the agent has written down how far the job has come."""
        return self.dir / "results" / f".{self.name}.records" / job.definition["job_id"]

    def owner(self, job):
        """The link that tells whose the job's directory is."""
        return self.dir / "run" / f".{job.definition['job_id']}"

    def kept_dir(self, job):
        return self.dir / "results" / job.definition["job_id"]


def processes_with(text):
    """Ids of processes whose command line has text, this one left out."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, IndexError):
            continue
        if text in line and state != "Z":
            found.append(int(entry.name))
    return found


def wait_gone(text, timeout_s=30):
    wait_for(lambda: not processes_with(text), timeout_s, f"no process with {text!r} is left")
