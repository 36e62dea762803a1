# SPDX-License-Identifier: GPL-3.0-or-later
"""From the submission of a job to an agent that waits for it having it."""
from items.claim import claims
from suite import pgbench
from suite.counts import Count
from suite.generator import Generator, Group
from suite.lab import LISTS, Lab
from suite.plans import BARE, BARE_TABLE, COMPLETE, FRESH_WAIT, SUBMIT_MARKED, WAIT, lists
from wait import wait_for

TITLE = "from submission to delivery with 1, 1,000 and 5,000 agents waiting; a burst of 1,000 submissions"
CROWDS = (1, 1000, 5000)
RATE = 25      # submissions in a second
LONGER = 4     # times as long as others, or there are too few of them for a p99
BURST = 1000
ARRIVALS = 2000  # of agents in a second: a server has places for 1,000 new requests at a time


def deliver(bench, lab, agents, ends=True, **submissions):
    """Jobs for agents that wait, each of which ends its job and waits again; or, as in claim.py, does nothing
    more with it, and another one waits."""
    wait_for(lambda: lab.server.parked() == 0, 60, "those of before have left")
    lab.empty()
    waiting = Group("waiting", agents, lab.ports, rate=ARRIVALS)
    waiting.step("wait", WAIT if ends else FRESH_WAIT, again=204, meet=True, waits=True)
    if ends:
        waiting.step("complete", COMPLETE)
    people = Group("people", LISTS, lab.ports, held=True, **submissions).step("submit", SUBMIT_MARKED, mark=True)
    used = lists(agents)
    used["queue"] = used["queue"][:agents]  # with one agent, only its queue
    load = Generator(lab.directory, [waiting, people], used, 0, LONGER * bench.seconds)
    report = load.release(lambda: lab.server.parked() == agents, "all agents wait").finish()
    check(Count(bench.figures, "delivery", lab), report, {"complete": [200]} if ends else {})
    return report


def check(count, report, more):
    count.nothing_unexpected(report, wait=[200, 204], submit=[200], **more)
    submitted, data = report.answers("submit", 200), report.data
    count.jobs(submitted)
    count.claims(submitted)
    count.equal("jobs that arrived", data["met"], submitted)
    count.equal("jobs that arrived twice or from nowhere", data["twice"] + data["unknown"], 0)


def measure_crowds(bench, lab):
    insert_ms, paced_ms = (pgbench.run(lab, BARE, LONGER * bench.seconds if pace else bench.seconds, clients=1,
                                       logged=True, user="postgres", pace=pace).p50_ms for pace in (None, RATE))
    found = {}
    add = bench.figures.figure
    for agents in CROWDS:
        found[agents] = deliver(bench, lab, agents, rate=RATE).data["delivery"]
        p50, p99 = found[agents]["p50_us"] / 1000, found[agents]["p99_us"] / 1000
        add("delivery", f"p50, {agents:,} waiting / one insert", "ms", "pgbench, 1 client").add(p50, insert_ms)
        add("delivery", f"p99, {agents:,} waiting", "ms").add(p99)
    # Caches are cold and cores asleep when something is done 25 times in a second, ours or not.
    add("delivery", "p50, 1 waiting / one insert at this pace", "ms", "pgbench, 25 in a second").add(
        found[1]["p50_us"] / 1000, paced_ms)
    add("delivery", "p99, 5,000 waiting / 1 waiting", "ms", "1 waiting").add(
        found[5000]["p99_us"] / 1000, found[1]["p99_us"] / 1000)


def measure_burst(bench, lab):
    rate = claims(bench, lab, False).rounds("agents")
    for name, ends in (("burst of 1,000", False), ("burst of 1,000, each job ended at once,", True)):
        span_ms = deliver(bench, lab, BURST, ends, limit=BURST).data["span_us"] / 1000
        bench.figures.figure("delivery", f"{name} / at the rate of claims", "ms", "claims").add(
            span_ms, 1000 * BURST / rate)


def measure(bench):
    with Lab(bench) as lab:
        lab.sql(BARE_TABLE)
        for _ in bench.turns:
            measure_crowds(bench, lab)
            measure_burst(bench, lab)
