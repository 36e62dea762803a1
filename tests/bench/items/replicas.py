# SPDX-License-Identifier: GPL-3.0-or-later
"""Several servers on one PostgreSQL."""
from items.claim import claims
from items.life import lives
from suite.lab import Lab

TITLE = "three servers on one PostgreSQL, against one"


def measure(bench):
    add = bench.figures.figure
    with Lab(bench, servers=3) as lab:
        every, one = lab.ports, lab.ports[:1]
        for _ in bench.turns:
            for name, measured in (("life", lambda: lives(bench, lab, item="replicas").rounds("lives")),
                                   ("claim", lambda: claims(bench, lab, False, "replicas").rounds("agents"))):
                rates = {}
                for ports in (every, one):
                    lab.ports = ports
                    rates[len(ports)] = measured()
                add("replicas", f"{name}, three servers / one", "/s", "one server").add(rates[3], rates[1])
