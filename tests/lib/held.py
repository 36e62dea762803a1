# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that a server makes together, held while they are made: what their call of the database would write
is locked.  And a way to the database that can be cut."""
import contextlib
import threading

import psycopg

from cluster import SERVER_LOGIN
from wait import wait_for


class Proxied:
    """What Server asks a cluster for, but by way of a proxy."""

    def __init__(self, cluster, proxies):
        self.dir = cluster.dir / "proxy"
        self.dir.mkdir()
        self.dir.chmod(0o755)
        self.proxy = proxies.add(f"{cluster.dir}/.s.PGSQL.5432", listen=f"{self.dir}/.s.PGSQL.5432")

    def conninfo(self, database, user):
        return f"host={self.dir} dbname={database} user={user}"


class Held:
    """Requests whose answers take a while, each under a name."""

    def __init__(self):
        self.replies = {}
        self.threads = []

    def ask(self, name, request):
        def call():
            self.replies[name] = request()
        self.threads.append(threading.Thread(target=call))
        self.threads[-1].start()

    def finish(self):
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        return self.replies


class Calls:
    """The calls of one SQL function, seen from a session; lane: where their requests wait."""

    def __init__(self, session, function, lane):
        self.session, self.function, self.lane = session, function, lane

    def under_way(self, wait_event_type):
        return [row[0] for row in self.session.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = %s AND query LIKE %s"
            " AND state = 'active' AND wait_event_type = %s",
            (SERVER_LOGIN, f"%{self.function}%", wait_event_type))]

    def kill(self):
        self.session.execute("SELECT pg_terminate_backend(%s)", (self.under_way("Lock")[0],))

    def gather(self, held, server, requests):
        """requests: by name.  The first is under way, all others are made together after it."""
        (name, first), *others = requests.items()
        held.ask(name, first)
        wait_for(lambda: self.under_way("Lock"), what="the first is under way")
        for waiting, (name, request) in enumerate(others, 1):
            held.ask(name, request)
            wait_for(lambda count=waiting: server.metric(f'testflinger_pool_waiting{{lane="{self.lane}"}}') == count,
                     what="it waits for the first")


@contextlib.contextmanager
def locked(conninfo, table):
    """Nothing can be written to it meanwhile."""
    with psycopg.connect(conninfo) as blocker:
        blocker.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield Held()
        blocker.rollback()
