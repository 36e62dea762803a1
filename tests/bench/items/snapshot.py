# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody holds an old snapshot, so that VACUUM can clear nothing away."""
import psycopg

from items.life import lives
from suite.lab import Lab

TITLE = "the life of jobs while a snapshot is held from beginning to end"
LONGER = 5  # than others: what it costs grows


def measure(bench):
    seconds = LONGER * bench.seconds
    with Lab(bench) as lab:
        for _ in bench.turns:
            without = lives(bench, lab, item="snapshot", seconds=seconds).rounds("lives")
            lab.empty()  # it takes locks that whoever holds a snapshot would hold up
            with psycopg.connect(lab.cluster.conninfo(lab.database)) as holder:
                holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                holder.execute("SELECT count(*) FROM pg_catalog.pg_class")
                held = lives(bench, lab, item="snapshot", seconds=seconds, empty=False).rounds("lives")
            bench.figures.figure("snapshot", "life, a snapshot held / without", "/s", "no snapshot").add(
                held, without)
