# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL makes of the same statement when nothing is before it: pgbench, prepared, as the
server's role, with as many connections as a server has workers."""
import re
import statistics
import subprocess

from cluster import BIN, SERVER_LOGIN

CLIENTS = 8  # the server's option workers
THREADS = 2


class Result:
    def __init__(self, text, times_us):
        self.done = int(re.search(r"number of transactions actually processed: (\d+)", text)[1])
        self.failed = int(re.search(r"number of failed transactions: (\d+)", text)[1])
        self.rate = float(re.search(r"tps = ([\d.]+) \(without", text)[1])
        self.times_us = times_us

    @property
    def p50_ms(self):
        return statistics.median(self.times_us) / 1000


def run(lab, script, seconds, clients=CLIENTS, logged=False, user=SERVER_LOGIN, pace=None):
    """script: what a transaction of pgbench does; :n starts as 0.  logged: with the time of each.  pace: so
    many of them in a second."""
    path, prefix = lab.directory / "pgbench.sql", lab.directory / "pgbench-times"
    path.write_text(script.strip() + "\n")
    command = [str(BIN / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, THREADS)),
               "-T", str(max(1, round(seconds))), "-f", str(path), "-D", "n=0", "-h", str(lab.cluster.dir),
               "-U", user]
    if logged:
        command += ["--log", f"--log-prefix={prefix}"]
    if pace:
        command += [f"--rate={pace}"]
    done = subprocess.run([*command, lab.database], check=False, text=True, timeout=seconds + 120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench failed: {done.stderr.strip()}")
    return Result(done.stdout, read_times(prefix) if logged else [])


def read_times(prefix):
    """The third column of its log is microseconds since the transaction was due; with a pace, the last one
    how late it began."""
    times = []
    for path in prefix.parent.glob(prefix.name + ".*"):
        for line in path.read_text().splitlines():
            fields = [int(field) for field in line.split()]
            times.append(fields[2] - sum(fields[6:7]))
        path.unlink()
    return times
