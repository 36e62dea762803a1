# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sessions at once, without guessing at times: one holds its transaction open, the other is
started in a thread and is then seen to be done or to wait for a lock."""
import threading

import psycopg

from wait import wait_for

TIMEOUT_S = 30


class Call(threading.Thread):
    """One statement running on a session of its own accord; settled once it ended or waits."""

    def __init__(self, session, sql, params, watcher):
        super().__init__(daemon=True)
        self.session, self.sql, self.params, self.watcher = session, sql, params, watcher
        self.rows, self.error = None, None
        self.ended = threading.Event()
        self.start()

    def run(self):
        try:
            self.rows = self.session.execute(self.sql, self.params).fetchall()
        except psycopg.Error as error:
            self.error = error
        finally:
            self.ended.set()

    def waits(self):
        """Whether the session waits for a lock of another that keeps it: its transaction is open, or it waits
        itself.  Not for one that is about to let go, such as autovacuum."""
        row = self.watcher.execute(
            "SELECT count(*) > 0 FROM unnest(pg_blocking_pids(%s)) b(pid) JOIN pg_stat_activity a USING (pid)"
            " WHERE a.state = 'idle in transaction' OR cardinality(pg_blocking_pids(b.pid)) > 0",
            (self.session.info.backend_pid,)).fetchone()
        return row[0]

    def blockers(self):
        """Who it waits for: what a test says when nobody should be in the way."""
        return self.watcher.execute(
            "SELECT b.pid, a.backend_type, a.application_name, a.state, a.query FROM unnest(pg_blocking_pids(%s)) b(pid)"
            " JOIN pg_stat_activity a USING (pid)", (self.session.info.backend_pid,)).fetchall()

    def settle(self):
        """Until it has ended (True) or waits for a lock (False)."""
        wait_for(lambda: any(self.ended.wait(0.002) or self.waits() for _ in range(20)), TIMEOUT_S,
                 f"{self.sql} ends or waits")
        return self.ended.is_set()

    def result(self):
        """Its rows, or the SQLSTATE it failed with."""
        assert self.ended.wait(TIMEOUT_S), f"{self.sql} still runs"
        return self.error.sqlstate if self.error else self.rows

    def refused_or_done(self):
        """Whether it did its work or was refused by our own rules: no deadlock, no other error."""
        return self.error is None or (self.error.sqlstate or "").startswith("TF")
