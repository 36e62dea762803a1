# SPDX-License-Identifier: GPL-3.0-or-later
"""An InfluxDB of the tests' own, on loopback, its data below a directory."""
import json
import pathlib
import shutil
import urllib.error
import urllib.parse
import urllib.request

from ports import free_port
from programs import Process

CONFIG = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{dir}/meta"
[data]
  dir = "{dir}/data"
  wal-dir = "{dir}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
"""


def available():
    return shutil.which("influxd") is not None


class InfluxDB:
    """start() may come late: the port is known before.  user is an admin, if there is one."""

    def __init__(self, directory, user=None, password=None):
        self.dir = pathlib.Path(directory)
        self.port = free_port()
        self.user, self.password = user, password
        self.process = None

    def start(self):
        path = self.dir / "influxdb.conf"
        path.write_text(CONFIG.format(dir=self.dir, port=self.port, rpc=free_port(),
                                      auth="true" if self.user else "false"))
        self.process = Process(["influxd", "-config", path], self.dir / "influxdb.log")
        self.process.until(self.answers)
        if self.user:
            self.query(f"CREATE USER {self.user} WITH PASSWORD '{self.password}' "
                       "WITH ALL PRIVILEGES", method="POST")
        return self

    def stop(self):
        if self.process:
            self.process.stop()

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=60):
                return True
        except OSError:
            return False

    def query(self, text, method="GET"):
        values = {"q": text, "db": "agent_jobs"}
        if self.user:
            values |= {"u": self.user, "p": self.password}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/query?"
                                         + urllib.parse.urlencode(values), method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)["results"][0]

    def points(self):
        """[(agent, phase, result)] in the order of time."""
        try:
            found = self.query('SELECT agent, phase, result FROM "phase result"')
        except urllib.error.HTTPError:
            return []
        series = found.get("series")
        return [tuple(row[1:]) for row in series[0]["values"]] if series else []
