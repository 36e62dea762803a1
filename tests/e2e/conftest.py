# SPDX-License-Identifier: GPL-3.0-or-later
"""End to end: the real server, the real agent and the real client on a private PostgreSQL."""
import json
import os
import shlex
import signal
import subprocess

import pytest

from programs import Process, ROOT, program
from server import dbadmin
from wait import patient

QUEUE = "e2e"
CLIENT_TIMEOUT_S = 300


class Client:
    """testflinger, run against one server from a directory of its own."""

    def __init__(self, url, directory):
        self.url = url
        self.dir = directory
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith("TESTFLINGER_")}
        self.env["TESTFLINGER_SERVER"] = url

    def run(self, *arguments, given=None, env=None, timeout_s=CLIENT_TIMEOUT_S):
        """A finished process with text output."""
        return subprocess.run([program("testflinger"), *map(str, arguments)], input=given, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.dir,
                              env={**self.env, **(env or {})}, timeout=patient(timeout_s), check=False)

    def good(self, *arguments, **how):
        """Its standard output; the command must succeed."""
        done = self.run(*arguments, **how)
        assert done.returncode == 0, f"{arguments}: {done.returncode}: {done.stderr}"
        return done.stdout

    def start(self, *arguments):
        """In the background, output in a file."""
        log = self.dir / f"client-{len(list(self.dir.glob('client-*')))}.log"
        return Process([program("testflinger"), *arguments], log, env=self.env, cwd=self.dir)

    def submit(self, job):
        return self.good("submit", "--quiet", "-", given=json.dumps(job)).strip()

    def status(self, job_id):
        done = self.run("status", job_id)
        return done.stdout.strip()

    def results(self, job_id):
        return json.loads(self.good("results", job_id))


def job(script, **more):
    """A job of our queue whose test phase runs a script."""
    return {"job_queue": QUEUE, "test_data": {"test_cmds": script}, **more}


def agent_config(path, agent_id, url, directory, **options):
    """Writes a configuration whose phases run here: the test phase is the job's script."""
    commands = {"setup_command": "echo this is setup",
                "test_command": f"{program('testflinger-device-connector')} fake_connector runtest "
                                f"-c {ROOT}/examples/device.yaml",
                "cleanup_command": "echo this is cleanup"}
    values = {"agent_id": agent_id, "server_address": url, "job_queues": [QUEUE],
              "polling_interval": 1,
              "execution_basedir": str(directory / "run"),
              "logging_basedir": str(directory / "logs"),
              "results_basedir": str(directory / "results"),
              "lock_basedir": str(directory / "lock"), "cgroup": False, **commands, **options}
    path.write_text("".join(f"{key} = {json.dumps(value)};\n" for key, value in values.items()))


class Agent:
    """testflinger-agent with a directory and a token of its own."""

    def __init__(self, server, directory, name="agent-1", **options):
        self.name = name
        self.dir = directory / name
        self.dir.mkdir(parents=True, exist_ok=True)
        self.server = server
        self.options = options
        self.process = None
        self.token_file = self.dir / "token"
        secret = self.dir / "secret"
        secret.write_text("a-secret-of-the-end-to-end-tests\n")
        dbadmin(server.cluster, server.database, "client", "add", name, "--role", "agent",
                "--secret-file", str(secret))
        self.token_file.write_text(dbadmin(server.cluster, server.database, "client",
                                           "refresh-token", name))

    def start(self, url=None):
        agent_config(self.dir / "agent.conf", self.name, url or self.server.url, self.dir,
                     **self.options)
        self.process = Process([*shlex.split(os.environ.get("TESTFLINGER_AGENT_WRAPPER", "")),
                                program("testflinger-agent"), "-c", self.dir / "agent.conf",
                                "--token-file", self.token_file], self.dir / "agent.log")
        return self

    def stop(self):
        if self.process and self.process.running():
            # the latter of one that has not begun yet
            assert self.process.stop() in (0, -signal.SIGTERM), self.process.tail(100)
        if self.process:
            self.process.check_well()


@pytest.fixture
def client(server, tmp_path):
    return Client(server.url, tmp_path)


@pytest.fixture(scope="module")
def agent(server, tmp_path_factory):
    made = Agent(server, tmp_path_factory.mktemp("agents")).start()
    yield made
    made.stop()
