# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-sent events as a client reads them."""
import http.client
import json
from collections import namedtuple

Event = namedtuple("Event", "id data")


class Events:
    """An open stream.  Each wait for a line ends after timeout_s."""

    def __init__(self, caller, path, last_id=None, timeout_s=60):
        self.connection = http.client.HTTPConnection("127.0.0.1", caller.server.port, timeout=timeout_s)
        headers = caller.named_headers({"Accept": "text/event-stream"})
        if caller.auth:
            headers["Authorization"] = "Bearer " + caller.auth
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        self.connection.request("GET", path, headers=headers)
        self.reply = self.connection.getresponse()
        self.retry_ms = None
        self.comments = 0

    def blocks(self):
        """What stands between empty lines, as lists of lines, to the end of the stream."""
        lines = []
        while True:
            line = self.reply.readline()
            if not line:
                assert not lines, lines
                return
            if line == b"\n":
                yield lines
                lines = []
            else:
                lines.append(line.decode().rstrip("\n"))

    def __iter__(self):
        for lines in self.blocks():
            if all(line.startswith(":") for line in lines):
                self.comments += 1
                continue
            fields = dict(line.split(": ", 1) for line in lines)
            if "retry" in fields:
                self.retry_ms = int(fields["retry"])
                continue
            yield Event(fields["id"], json.loads(fields["data"]))

    def close(self):
        # not only ours: the answer has a reference to the socket
        self.reply.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
