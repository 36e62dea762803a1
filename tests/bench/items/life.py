# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of jobs over HTTP, and that of jobs of others, who live in the process of their user."""
import shutil

from suite.counts import Count
from suite.generator import Generator, Group
from suite.lab import Lab
from suite.peers import Peers, Redis
from suite.plans import COMPLETE, POLL, RESULT, SUBMIT, lists
from suite.skip import Skip

TITLE = "submit, claim, result, completion: jobs in a second over HTTP, against job queues in-process"
AGENTS = 64

# name, program, its settings; jobs that wait at its start are enough for some seconds
POSTGRESQL_PEERS = [
    ("graphile-worker unbatched", "graphile.js", {"BATCH": 0, "JOBS": 5000}),
    ("graphile-worker batched", "graphile.js", {"BATCH": 1, "JOBS": 60_000}),
    ("pg-boss batch 1", "pgboss.js", {"BATCH": 1, "JOBS": 800}),
    ("pg-boss batch 100", "pgboss.js", {"BATCH": 100, "JOBS": 20_000}),
]
REDIS_PEERS = [("bullmq, fsync always", "always"), ("bullmq, fsync every second", "everysec")]


def lives(bench, lab, shared=False, item="life", seconds=None, empty=True):
    """Each of 64 submits a job, claims one, and reports it to its end."""
    if empty:
        lab.empty()
    group = Group("lives", AGENTS, lab.ports)
    group.step("submit", SUBMIT).step("claim", POLL, again=204)
    group.step("result", RESULT).step("complete", COMPLETE)
    report = Generator(lab.directory, [group], lists(AGENTS, shared), bench.warm_s, seconds or bench.seconds).finish()
    count = Count(bench.figures, item, lab)
    count.nothing_unexpected(report, submit=[200], claim=[200, 204], result=[200], complete=[200])
    count.jobs(report.answers("submit", 200))
    count.claims(report.answers("claim", 200))
    count.ended(report.answers("complete", 200))
    return report


def peer_results(bench, lab, peers):
    """[(name, what it found)] of all peers, in this turn."""
    database = {"PGHOST": lab.cluster.dir, "PGUSER": "postgres", "PGDATABASE": lab.database}
    for name, script, settings in POSTGRESQL_PEERS:
        share = min(1, bench.seconds / 3)
        yield name, peers.run(script, SECONDS=bench.seconds, **{
            **settings, "JOBS": max(100, int(settings["JOBS"] * share)), **database})
    if not shutil.which("redis-server"):
        bench.figures.skipped.append(("life", "bullmq: redis-server is not installed"))
        return
    for name, fsync in REDIS_PEERS:
        with Redis(lab.directory, fsync) as redis:
            yield name, peers.run("bullmq.js", SECONDS=bench.seconds, REDIS_PORT=redis.port,
                                  JOBS=max(100, int(10_000 * min(1, bench.seconds / 3))))


def compare(bench, lab, peers, rate):
    add = bench.figures.figure
    for name, found in peer_results(bench, lab, peers):
        add("life", f"64 lists / {name}", "/s", "submit, claim, complete").add(rate, found["life"])
        add("life", f"64 lists / {name}, submitted before", "/s", "claim, complete").add(rate, found["cycle"])
        Count(bench.figures, "life", lab).equal(f"jobs left by {name}", found["left"], 0)


def find_peers(bench):
    try:
        if not bench.peers:
            raise Skip("--no-peers")
        return Peers()
    except Skip as skip:
        bench.figures.skipped.append(("life", f"other job queues: {skip}"))
        return None


def measure(bench):
    peers = find_peers(bench)
    with Lab(bench) as lab:
        for _ in bench.turns:
            ours = lives(bench, lab)
            bench.figures.figure("life", "64 lists", "/s").add(ours.rounds("lives"))
            for name in ("submit", "claim", "result", "complete"):
                bench.figures.figure("life", f"{name}, p99", "ms").add(ours.ms(name, "p99"))
            if peers:
                compare(bench, lab, peers, ours.rounds("lives"))
            shared = lives(bench, lab, shared=True).rounds("lives")
            bench.figures.figure("life", "one shared list / 64 lists", "/s", "64 lists").add(
                shared, ours.rounds("lives"))
