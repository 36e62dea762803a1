# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents that wait for work, of which there is none."""
from suite.counts import Count
from suite.cpu import Measured, memory_mib
from suite.generator import Generator, Group
from suite.lab import Lab
from suite.plans import WAIT, lists
from wait import wait_for

TITLE = "5,000 agents that wait and get nothing: CPU of server and PostgreSQL, memory"
AGENTS = 5000
ARRIVALS = 2000  # in a second: a server has places for 1,000 new requests at a time
PERIOD_S = 60  # in which the server looks after each waiting agent once; after each list of queues, six times


class Both:
    """The CPU time of the server and of PostgreSQL, in per cent of a core."""

    def __init__(self, lab):
        self.server, self.postgresql = Measured(lab.server.process.pid), Measured(lab.cluster.process.pid)

    def over(self, seconds):
        with self.server, self.postgresql:
            pause(seconds)
        return self


def pause(seconds):
    """What is measured is the time itself."""
    import threading
    threading.Event().wait(seconds)


def crowd(bench, lab):
    """(CPU while they wait, memory then)."""
    seconds = PERIOD_S * max(1, round(bench.seconds / 3))
    group = Group("agents", AGENTS, lab.ports, rate=ARRIVALS).step("wait", WAIT, ok=204, waits=True)
    load = Generator(lab.directory, [group], lists(AGENTS), 0, seconds + 120)
    try:
        wait_for(lambda: lab.server.parked() == AGENTS, 120, "all agents wait")
        pause(PERIOD_S)
        both = Both(lab).over(seconds)
        memory = memory_mib(lab.server.process.pid)
    finally:
        load.tell()
        report = load.finish()
    Count(bench.figures, "idle", lab).nothing_unexpected(report, wait=[])  # all have waited, to the end
    wait_for(lambda: lab.server.parked() == 0, 60, "all agents have left")
    return both, memory


def measure(bench):
    add = bench.figures.figure
    with Lab(bench) as lab:
        alone, before = Both(lab).over(bench.seconds), memory_mib(lab.server.process.pid)
        add("idle", "CPU of server and PostgreSQL, nobody there", "%").add(
            alone.server.percent + alone.postgresql.percent)
        for _ in bench.turns:
            both, memory = crowd(bench, lab)
            add("idle", "CPU of server and PostgreSQL, 5,000 waiting", "%").add(
                both.server.percent + both.postgresql.percent)
            add("idle", "of that the server", "%").add(both.server.percent)
            add("idle", "of that PostgreSQL", "%").add(both.postgresql.percent)
            add("idle", "memory of the server / before", "MiB", "before").add(memory, before)
