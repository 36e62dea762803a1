# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an item is measured: a durable PostgreSQL, a database of its own with our schema, servers
as they are by default, and people and agents with valid tokens."""
import base64
import contextlib
import hashlib
import hmac
import json
import pathlib
import tempfile
import time

import psycopg

from caller import Caller
from cluster import Cluster
from server import JWT_KEY, Server
from wait import wait_for

# Room enough that no checkpoint falls into one measurement and not into the other.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "16GB", "checkpoint_timeout": "30min"}
DURABLE = {"fsync": "on", "full_page_writes": "on"}  # which the tests' cluster leaves out
TEMPLATE = "bench_template"
LISTS = 64
TOKEN_LIFETIME_S = 6 * 3600


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(client_id, role):
    """An access token as the server makes them, without asking it thousands of times."""
    now = int(time.time())
    claims = {"exp": now + TOKEN_LIFETIME_S, "iat": now, "sub": "access_token",
              "permissions": {"client_id": client_id, "role": role, "max_priority": {},
                              "max_reservation_time": {}, "allowed_queues": []}}
    text = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    digest = hmac.new(JWT_KEY.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{encode(digest)}"


def queue_list(number):
    """The queues of an agent: its own, those of its kind and place, and one for all."""
    return [f"lab-{number}", f"kind-{number % 8}", f"site-{number % 3}", "any"]


def query(queues):
    return "&".join(f"queue={queue}" for queue in queues)


def stop(server):
    status = server.stop()
    assert status == 0, f"a server ended with {status}:\n{server.process.tail()}"


class Lab:
    """with Lab(bench): …  a fresh database with servers on it."""

    def __init__(self, bench, servers=1, **options):
        self.bench = bench
        self.cluster = bench.cluster
        self.directory = None
        self.database = None
        self.count = servers
        self.options = {"connections_max": 8000, **options}
        self.servers = []
        self.ports = []  # where requests go to
        self.session = None  # the owner's, who may look everywhere
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            self.directory = pathlib.Path(self.stack.enter_context(
                tempfile.TemporaryDirectory(prefix="testflinger-bench-")))
            self.directory.chmod(0o755)
            self.database = self.cluster.clone(TEMPLATE)
            self.stack.callback(self.cluster.drop, self.database)
            for number in range(self.count):
                server = Server(self.cluster, self.database, self.directory, f"server-{number}", **self.options)
                self.servers.append(server.start())
                self.stack.callback(stop, server)
                self.ports.append(server.port)
            self.session = self.stack.enter_context(
                psycopg.connect(self.cluster.conninfo(self.database), autocommit=True))
            return self
        except BaseException:
            self.stack.close()
            raise

    def __exit__(self, *what):
        return self.stack.__exit__(*what)

    @property
    def server(self):
        return self.servers[0]

    def sql(self, text, *values):
        return self.session.execute(text, values or None)

    def sql_named(self, text, **values):
        return self.session.execute(text, values)

    def value(self, text, *values):
        return self.sql(text, *values).fetchone()[0]

    def empty(self):
        """As at the beginning, on disk too."""
        wait_for(self.try_empty, what="nobody is in the way of emptying the tables")
        self.sql("SELECT tfx.shift_leases()")
        self.sql("CHECKPOINT")

    def try_empty(self):
        """It locks all tables, in an order of its own: servers that are at work may be in the way."""
        try:
            self.sql("SELECT tfx.reset_data()")
            return True
        except psycopg.errors.DeadlockDetected:
            return False

    def user(self):
        return Caller(self.server, sign("bench-user", "contributor"))

    def agent(self, name):
        return Caller(self.server, sign("bench-agent", "agent"), name)


def bench_cluster(durable=True):
    cluster = Cluster({**SETTINGS, **(DURABLE if durable else {})})
    try:
        cluster.migrate(TEMPLATE)
        return cluster
    except BaseException:
        cluster.stop()
        raise
