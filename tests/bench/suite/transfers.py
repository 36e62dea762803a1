# SPDX-License-Identifier: GPL-3.0-or-later
"""One large file up or down, with the digest of what was sent or came."""
import hashlib
import http.client
import os
import time

PIECE = os.urandom(1 << 20)
BOUNDARY = "boundary-of-the-bench"
HEAD = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.tar.gz"\r\n'
        "Content-Type: application/gzip\r\n\r\n").encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def pieces(size):
    """So many bytes in pieces of which no two are the same."""
    for at in range(0, size, len(PIECE)):
        yield at.to_bytes(8, "big") + PIECE[8:min(len(PIECE), size - at)]


class Peer:
    """Somebody with a token who claims, uploads and downloads."""

    def __init__(self, server, token, agent=None):
        self.server = server
        self.headers = {"Authorization": "Bearer " + token}
        if agent:
            self.headers["Cookie"] = "agent_name=" + agent

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=600)

    def begin(self, path, size):
        """The header of an upload and its part; what follows is size bytes and TAIL."""
        line = self.connect()
        line.putrequest("POST", path)
        for name, value in {**self.headers, "Content-Length": str(len(HEAD) + size + len(TAIL)),
                            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}.items():
            line.putheader(name, value)
        line.endheaders(HEAD)
        return line

    def upload(self, path, size):
        """Returns (seconds, SHA-256)."""
        digest, start = hashlib.sha256(), time.monotonic()
        line = self.begin(path, size)
        for piece in pieces(size):
            digest.update(piece)
            line.send(piece)
        finish(line)
        return time.monotonic() - start, digest.hexdigest()

    def download(self, path):
        """Returns (seconds, SHA-256)."""
        digest, start, line = hashlib.sha256(), time.monotonic(), self.connect()
        line.request("GET", path, headers=self.headers)
        answer = line.getresponse()
        assert answer.status == 200, answer.status
        while piece := answer.read(1 << 20):
            digest.update(piece)
        line.close()
        return time.monotonic() - start, digest.hexdigest()


def finish(line):
    line.send(TAIL)
    answer = line.getresponse()
    text = answer.read()
    assert answer.status == 200, (answer.status, text)
    line.close()


def running_job(user, agent, queue):
    """A job the agent has claimed; its id."""
    made = user.post("/v1/job", {"job_queue": queue})
    assert made.status == 200, made
    assert agent.get(f"/v1/job?queue={queue}").status == 200
    return made.json()["job_id"]
