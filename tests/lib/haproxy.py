# SPDX-License-Identifier: GPL-3.0-or-later
"""haproxy before several servers, set up as docs/operations.md says."""
import pathlib
import socket

from ports import free_port
from programs import Process

CONFIG = """
global
    maxconn 8000
defaults
    mode http
    option abortonclose
    option redispatch
    option httpchk GET /readyz
    http-check expect status 200
    default-server inter 500ms fall 2 rise 1
    balance roundrobin
    retries 2
    timeout connect 2s
    timeout queue 10s
    timeout client 330s
    timeout server 330s
    timeout http-request 10s
    timeout http-keep-alive 75s
listen testflinger
    bind 127.0.0.1:{port}
{servers}
"""
TRIES = 20


class Haproxy:
    def __init__(self, servers, directory):
        self.dir = pathlib.Path(directory)
        lines = "".join(f"    server replica-{number} 127.0.0.1:{server.port} check\n"
                        for number, server in enumerate(servers))
        for _ in range(TRIES):
            self.port = free_port()  # somebody else may take it meanwhile
            (self.dir / "haproxy.cfg").write_text(CONFIG.format(port=self.port, servers=lines))
            self.process = Process(["haproxy", "-db", "-f", self.dir / "haproxy.cfg"],
                                   self.dir / "haproxy.log")
            if self._listens():
                return
            self.process.stop()
        raise RuntimeError(self.process.tail())

    def _listens(self):
        def look():
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return True
            except ConnectionError:
                return False
        try:
            return self.process.until(look, what="haproxy listens")
        except AssertionError:
            return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.stop()
