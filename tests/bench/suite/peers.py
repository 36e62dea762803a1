# SPDX-License-Identifier: GPL-3.0-or-later
"""Job queues of others, from npm, in the versions that tests/bench/peers/package.json names.  They are
installed below the build directory, by this and nobody else."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from cluster import as_owner
from ports import free_port
from programs import Process, build_dir
from suite.skip import Skip

HERE = pathlib.Path(__file__).resolve().parents[1] / "peers"
NODE_AT_LEAST = 20
INSTALL_TIMEOUT_S = 600
RUN_TIMEOUT_S = 120


def need(tool):
    path = shutil.which(tool)
    if not path:
        raise Skip(f"{tool} is not installed")
    return path


def need_node():
    node = need("node")
    version = subprocess.run([node, "--version"], check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
    if int(re.match(r"v(\d+)", version)[1]) < NODE_AT_LEAST:
        raise Skip(f"node {version.strip()} is older than {NODE_AT_LEAST}")
    return node


def install():
    """Where the modules are."""
    place = build_dir() / "bench-peers"  # not where the sources are in a build in the tree
    wanted = (HERE / "package.json").read_text()
    stamp = place / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return place / "node_modules"
    npm = need("npm")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "package.json").write_text(wanted)
    done = subprocess.run([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"],
                          check=False, cwd=place, timeout=INSTALL_TIMEOUT_S, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()] or ["no output"]
        raise Skip(f"npm could not install the peers: {lines[0]}")
    stamp.write_text(wanted)
    return place / "node_modules"


class Peers:
    def __init__(self):
        self.node = need_node()
        self.modules = install()

    def run(self, script, **environment):
        """Runs tests/bench/peers/SCRIPT and returns the JSON object it prints."""
        done = subprocess.run([self.node, str(HERE / script)], check=False, text=True, timeout=RUN_TIMEOUT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              env={**os.environ, "NODE_PATH": str(self.modules),
                                   **{key: str(value) for key, value in environment.items()}})
        if done.returncode != 0:
            raise RuntimeError(f"{script} failed: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)


class Redis:
    """A Redis of its own that writes each change to disk before it answers, as PostgreSQL does."""

    def __init__(self, directory, fsync):
        need("redis-server")
        self.port = free_port()
        place = pathlib.Path(tempfile.mkdtemp(prefix="redis-", dir=directory))
        place.chmod(0o777)
        self.process = Process(as_owner(["redis-server", "--port", self.port, "--bind", "127.0.0.1",
                                         "--dir", place, "--appendonly", "yes", "--appendfsync", fsync,
                                         "--save", "", "--maxmemory-policy", "noeviction"]),
                               place / "log", cwd="/tmp")
        self.process.until(lambda: "Ready to accept connections" in self.process.output(),
                           what="Redis takes connections")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
