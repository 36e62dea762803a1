# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL cluster of the test run's own: a directory, a Unix socket, no network, no system
cluster.  One cluster for a run; a database for each test file, cloned from a migrated template.

From a shell: cluster.py COMMAND… runs a command with PGHOST, PGUSER and PGDATABASE set to a
migrated database in a cluster that is gone afterwards."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from programs import ROOT, Process, program
from wait import wait_for

# the role under which servers log in: a member of testflinger_server and of nothing else
SERVER_LOGIN = "server_login"
BIN = pathlib.Path(os.environ.get("PG_BINDIR", "/usr/lib/postgresql/15/bin"))
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
}


def as_owner(command):
    """initdb and postgres refuse root: they run as the user postgres then."""
    if os.geteuid() != 0:
        return [str(part) for part in command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--",
            *(str(part) for part in command)]


class Cluster:
    def __init__(self, settings=None):
        # a short path: a Unix socket's is limited to 107 bytes
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tf-pg.", dir="/tmp"))
        self.settings = {**SETTINGS, **(settings or {})}
        self.process = None
        self.count = 0
        try:
            self.make()
            self.start()
        except BaseException:  # an interruption, too, leaves nothing
            self.stop()
            raise

    def make(self):
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
        # not the caller's directory: the user postgres may not be let in there
        subprocess.run(as_owner([BIN / "initdb", "-D", self.dir / "data", "-U", "postgres", "-A",
                                 "trust", "-N", "--encoding=UTF8", "--locale=C.UTF-8"]),
                       check=True, stdout=subprocess.DEVNULL, timeout=120, cwd="/tmp")

    def start(self):
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        self.process = Process(as_owner([BIN / "postgres", "-D", self.dir / "data", "-k", self.dir,
                                         *options]), self.dir / "log", cwd="/tmp")
        self.process.until(self.ready, what="PostgreSQL takes connections")

    def ready(self):
        done = subprocess.run([BIN / "pg_isready", "-q", "-h", self.dir], check=False, timeout=60)
        return done.returncode == 0

    def halt(self, number=signal.SIGINT):
        """Stops PostgreSQL (SIGINT: at once but cleanly; SIGQUIT: as in a crash)."""
        self.process.stop(number)

    def start_again(self):
        """After a halt: a postmaster that was killed may have left what must be gone first."""
        def try_it():
            try:
                self.start()
                return True
            except AssertionError:
                return False
        wait_for(try_it, 60, "PostgreSQL starts again")

    def stop(self):
        if self.process and self.process.running():
            self.process.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir, ignore_errors=True)

    def conninfo(self, database="postgres", user="postgres"):
        return f"host={self.dir} dbname={database} user={user}"

    def psql(self, sql, database="postgres", user="postgres"):
        """Runs SQL and returns the rows as text, unaligned."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql,
                               self.conninfo(database, user)], check=False, timeout=300, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    def migrate(self, database):
        """A database with our schema in it, made by our own tool."""
        self.psql(f'CREATE DATABASE "{database}"')
        if not self.psql(f"SELECT 1 FROM pg_roles WHERE rolname = '{SERVER_LOGIN}'"):
            self.psql(f"CREATE ROLE {SERVER_LOGIN} LOGIN")
        self.install(database, [program("testflinger-dbadmin"), "migrate",
                                "--migrations", ROOT / "migrations", "--sql", ROOT / "sql",
                                "--server-role-login", SERVER_LOGIN])

    def migrate_by_psql(self, database):
        """The same without any of our programs: the SQL can be tested before they are built."""
        self.psql(f'CREATE DATABASE "{database}"')
        self.install(database, [ROOT / "tools" / "devdb", database])

    def install(self, database, command):
        env = {"PGHOST": str(self.dir), "PGUSER": "postgres", **self.environment(database)}
        done = subprocess.run(command, check=False, timeout=300, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **env})
        assert done.returncode == 0, done.stdout

    def environment(self, database, user="postgres"):
        return {"TESTFLINGER_DATABASE": self.conninfo(database, user)}

    def clone(self, template):
        """A new database like the template; its name."""
        self.count += 1
        name = f"{template}_{os.getpid()}_{self.count}"
        self.psql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, database):
        self.psql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def main(command):
    for number in (signal.SIGINT, signal.SIGTERM):  # the cluster is ended, whatever we inherited
        signal.signal(number, signal.default_int_handler)
    cluster = Cluster()
    try:
        cluster.migrate_by_psql("testflinger")
        env = {"PGHOST": str(cluster.dir), "PGUSER": "postgres", "PGDATABASE": "testflinger"}
        return subprocess.run(command, check=False, env={**os.environ, **env}).returncode
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
