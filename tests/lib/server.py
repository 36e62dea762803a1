# SPDX-License-Identifier: GPL-3.0-or-later
"""testflinger-server under test: its configuration, its life, and requests to it."""
import base64
import http.client
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

from cluster import SERVER_LOGIN
from programs import Process, program

ADMIN_ID = "testflinger-admin"
ADMIN_SECRET = "an-admin-secret-of-the-tests"
JWT_KEY = "signing-key-of-the-tests-0123456789abcdef"


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<Reply {self.status} {self.body[:300]!r}>"


def dbadmin(cluster, database, *arguments, given=None):
    """Runs testflinger-dbadmin and returns what it printed."""
    done = subprocess.run([program("testflinger-dbadmin"), *arguments], check=False, timeout=120,
                          input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, **cluster.environment(database)})
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


class Server:
    """A server on a free loopback port, with files of its own below directory."""

    def __init__(self, cluster, database, directory, name="server", **options):
        self.cluster = cluster
        self.database = database
        self.dir = pathlib.Path(directory) / name
        self.dir.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.process = None
        self.port = None

    def write_config(self):
        (self.dir / "jwt-key").write_text(JWT_KEY + "\n")
        values = {
            "listen": f"127.0.0.1:{self.port or 0}",
            "port_file": str(self.dir / "port"),
            "database": self.cluster.conninfo(self.database, SERVER_LOGIN),
            "jwt_key_file": str(self.dir / "jwt-key"),
            **self.options,
        }
        text = "".join(f"{key} = {json.dumps(value)};\n" for key, value in values.items())
        (self.dir / "server.conf").write_text(text)

    def launch(self, env=None):
        """Starts it and waits until it listens, whether it is ready or not."""
        self.write_config()
        port_file = self.dir / "port"
        port_file.unlink(missing_ok=True)
        self.process = Process([program("testflinger-server"), "-c", self.dir / "server.conf"],
                               self.dir / "log", env=env)
        self.port = int(self.process.until(
            lambda: port_file.exists() and port_file.read_text().strip(), what="the port file"))
        return self

    def start(self, env=None):
        self.launch(env)
        self.process.until(lambda: self.get("/readyz").status == 200, what="/readyz says yes")
        return self

    def stop(self, **how):
        return self.process.stop(**how)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def request(self, method, path, body=None, headers=None, auth=None, timeout_s=60):
        """body: bytes as they are, anything else as JSON.  auth: a token or (id, secret)."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if isinstance(auth, tuple):
            text = base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
            headers["Authorization"] = "Basic " + text
        elif auth:
            headers["Authorization"] = "Bearer " + auth
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **how):
        try:
            return self.request("GET", path, **how)
        except ConnectionError as error:
            return Reply(0, {}, str(error).encode())

    def post(self, path, body=None, **how):
        return self.request("POST", path, body=body, **how)

    def put(self, path, body=None, **how):
        return self.request("PUT", path, body=body, **how)

    def metric(self, name):
        """The value of a series, named with its labels if it has any."""
        found = re.search(rf"^{re.escape(name)}(?:{{}})? (\S+)$", self.get("/metrics").text, re.M)
        return float(found[1])

    def parked(self):
        """How many requests wait for something to change."""
        return self.metric("testflinger_http_requests_parked")

    def token(self, client_id=ADMIN_ID, secret=ADMIN_SECRET):
        reply = self.post("/v1/oauth2/token", auth=(client_id, secret))
        assert reply.status == 200, reply
        return reply.json()["access_token"]

    def add_client(self, client_id, role, secret="a-client-secret-of-the-tests", **limits):
        """Makes a client over HTTP and returns (client_id, secret)."""
        reply = self.put("/v1/client-permissions/" + urllib.parse.quote(client_id, safe=""),
                         {"client_secret": secret, "role": role, **limits}, auth=self.token())
        assert reply.status == 200, reply
        return client_id, secret

    def upload(self, path, data, name="file", filename="upload.tar.gz", headers=None, **how):
        """A multipart upload with one part."""
        mark = "boundary-of-the-tests-5b1f0c"
        body = (f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; '
                f'filename="{filename}"\r\nContent-Type: application/gzip\r\n\r\n').encode()
        body += data + f"\r\n--{mark}--\r\n".encode()
        headers = {**(headers or {}), "Content-Type": f"multipart/form-data; boundary={mark}"}
        return self.post(path, body, headers=headers, **how)
