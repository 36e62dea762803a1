# SPDX-License-Identifier: GPL-3.0-or-later
"""./quickstart serve, reset and demo, as people and benchmarks use them; and that they leave nothing."""
import glob
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest

from programs import Process, ROOT
from server import Server
from wait import wait_for

SECRET = "a-secret-for-the-quickstart"

# by its mode: root may write to anything
pytestmark = pytest.mark.skipif(not os.stat(ROOT).st_mode & stat.S_IWUSR,
                                reason="quickstart builds in the checkout, which is read-only here")


def descendants(pid):
    """Every process of the session's tree, by /proc."""
    found, todo = set(), [pid]
    while todo:
        parent = todo.pop()
        for path in glob.glob(f"/proc/{parent}/task/*/children"):
            try:
                with open(path, encoding="ascii") as file:
                    children = [int(word) for word in file.read().split()]
            except OSError:
                continue
            found.update(children)
            todo += children
    return found


def alive(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


class Serve:
    def __init__(self, directory, *options):
        # under nohup a shell could not catch SIGHUP
        self.process = Process(["env", "--default-signal", ROOT / "quickstart", "serve", *options],
                               directory / "serve.log")
        self.process.until(lambda: re.search(r"^ready (\S+)$", self.process.output(), re.M),
                           timeout_s=900, what="ready")
        self.url = re.search(r"^ready (\S+)$", self.process.output(), re.M).group(1)
        self.children = descendants(self.process.pid)

    def request(self, method, path, **how):
        server = Server(None, None, "/tmp", "unused")
        server.port = int(self.url.rsplit(":", 1)[1])
        return server.request(method, path, **how)

    def end(self, number):
        self.process.send(number)
        wait_for(lambda: not self.process.running())
        wait_for(lambda: not alive(self.children), what=f"the end of {alive(self.children)}")


@pytest.fixture
def start_serve(tmp_path):
    """Starts ./quickstart serve; one that a failed test left is ended."""
    made = []

    def start(*options):
        (tmp_path / "serve.log").unlink(missing_ok=True)
        made.append(Serve(tmp_path, *options))
        return made[-1]

    yield start
    for serve in made:
        if serve.process.running():
            serve.end(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_whatever_ends_it(start_serve, number):
    serve = start_serve()
    assert serve.request("GET", "/readyz").status == 200
    assert len(serve.children) > 5
    serve.end(number)


def test_serve_takes_credentials_and_reset_empties_it(start_serve):
    serve = start_serve("--admin-secret", SECRET, "--jwt-key", "k" * 40)
    login = ("testflinger-admin", SECRET)
    assert serve.request("POST", "/v1/oauth2/token", auth=login).status == 200
    job_id = serve.request("POST", "/v1/job", body={"job_queue": "q"}).json()["job_id"]
    assert serve.request("GET", f"/v1/job/{job_id}").status == 200
    reset = subprocess.run([ROOT / "quickstart", "reset", "--port", serve.url.rsplit(":", 1)[1]],
                           check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=60)
    assert (reset.returncode, reset.stdout) == (0, "")
    assert serve.request("GET", f"/v1/job/{job_id}").status == 204
    assert serve.request("POST", "/v1/oauth2/token", auth=login).status == 200


@pytest.fixture
def kept_data():
    """A directory that the user postgres can reach; pytest's are closed to others."""
    path = tempfile.mkdtemp(prefix="testflinger-data-", dir="/var/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


def test_data_that_is_kept_is_there_again(start_serve, kept_data):
    login = ("testflinger-admin", SECRET)
    serve = start_serve("--data", kept_data, "--admin-secret", SECRET)
    job_id = serve.request("POST", "/v1/job", body={"job_queue": "q"}).json()["job_id"]
    token = serve.request("POST", "/v1/oauth2/token", auth=login).json()["access_token"]
    serve.end(signal.SIGTERM)
    serve = start_serve("--data", kept_data)
    assert serve.request("GET", f"/v1/job/{job_id}", auth=token).status == 200
    assert serve.request("POST", "/v1/oauth2/token", auth=login).status == 200


def test_replicas_stand_behind_one_address(start_serve):
    serve = start_serve("--replicas", "2")
    lines = [line for line in serve.process.output().splitlines() if not line.startswith("quickstart:")]
    assert [line.split()[0] for line in lines] == ["replica", "replica", "ready"]
    assert len({line.split()[1] for line in lines}) == 3
    answers = {serve.request("GET", "/v1/").text for _ in range(4)}
    assert len(answers) == 1 and answers.pop().startswith("Testflinger Server v")


def test_the_demonstration_runs_a_job_to_its_artifacts(tmp_path):
    done = subprocess.run([ROOT / "quickstart", "demo", "--once"], check=False, cwd=tmp_path, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "step three" in done.stdout and "artifacts/numbers.sha256" in done.stdout
    results = json.loads(done.stdout[done.stdout.index("{\n"):done.stdout.rindex("\n}") + 2])
    assert results["test_status"] == 0 and results["job_state"] == "complete"
    assert "the server is http://127.0.0.1:" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [(), ("launch",), ("serve", "--port"), ("serve", "--port", "x"),
                                       ("serve", "--bogus"), ("demo", "--bogus"), ("test", "--bogus")])
def test_wrong_usage_exits_with_2(arguments):
    done = subprocess.run([ROOT / "quickstart", *arguments], check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 2 and done.stderr and not done.stdout
