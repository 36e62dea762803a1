# SPDX-License-Identifier: GPL-3.0-or-later
"""testflinger-device-connector under test: the directory of a job, its configuration, its stages."""
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess

from programs import COMPLAINT, Process, program
from wait import patient

JOB_ID = "00000000-0000-4000-8000-000000000001"

# small where the defaults are made for labs
QUICK = {"ssh_tries": 2, "ssh_pause": 0.05, "ssh_import_pause": 0.01, "serial_reconnect": 0.1}

WRAPPER = shlex.split(os.environ.get("TESTFLINGER_CONNECTOR_WRAPPER", ""))
if WRAPPER:
    # found now: tests give the connector other PATHs
    WRAPPER[0] = shutil.which(WRAPPER[0]) or WRAPPER[0]
UNDER_VALGRIND = bool(WRAPPER) and "valgrind" in WRAPPER[0]


def as_command(kind, stage, config):
    """For a phase of an agent: the text of the command that is a stage, of a configuration file."""
    return shlex.join([*WRAPPER, program("testflinger-device-connector"), kind, stage, "-c", str(config),
                       "testflinger.json"])


def inherited():
    """What is around us, but for variables that look like those of a job."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TESTFLINGER_")}


class Connector:
    """A job's directory with a device's configuration.

    $TESTFLINGER_CONNECTOR_WRAPPER, if set, is put before the program ("valgrind …")."""

    def __init__(self, directory, kind, **config):
        self.dir = pathlib.Path(directory) / "job"
        self.dir.mkdir(parents=True, exist_ok=True)
        self.kind = kind
        self.config = {"device_ip": "127.0.0.1", "agent_name": "agent-1", **QUICK, **config}
        self.job = {"job_id": JOB_ID, "job_queue": "q1"}
        self.env = {}

    def command(self, stage):
        # JSON is YAML
        config = self.dir.parent / f"{self.kind}.yaml"
        config.write_text(json.dumps(self.config))
        (self.dir / "testflinger.json").write_text(json.dumps(self.job))
        (self.dir / "device-connector-error.json").touch()
        return [*WRAPPER, program("testflinger-device-connector"), self.kind, stage, "-c", str(config),
                "testflinger.json"]

    def run(self, stage, timeout_s=60, **job):
        """A finished process; its output and errors as the agent gets them, merged."""
        self.job.update(job)
        done = subprocess.run(self.command(stage), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=self.dir, check=False,
                              timeout=patient(timeout_s), env={**inherited(), **self.env})
        assert not COMPLAINT.search(done.stdout), done.stdout
        return done

    def good(self, stage, **how):
        """What a stage printed that must go well."""
        done = self.run(stage, **how)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self, stage, **job):
        """In the background."""
        self.job.update(job)
        return Process(self.command(stage), self.dir.parent / f"{stage}.out", env=self.env,
                       cwd=self.dir)

    def read(self, name):
        return (self.dir / name).read_text()

    def json(self, name):
        return json.loads(self.read(name))

    def failure(self, stage):
        """(name, message, cause) of what the stage told the agent, or None."""
        text = self.read("device-connector-error.json")
        info = json.loads(text or "{}").get(f"{stage}_exception_info")
        return info and tuple(info[f"exception_{key}"] for key in ("name", "message", "cause"))


def stopped(process, number=signal.SIGTERM):
    """The exit status after a signal, of a process that must end by it."""
    status = process.stop(number)
    process.check_well()
    return status
