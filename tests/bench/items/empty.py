# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents that ask and get nothing."""
import re
import shutil
import subprocess

from suite import pgbench
from suite.bare import bare_port
from suite.counts import Count
from suite.generator import Generator, Group
from suite.lab import Lab, query, queue_list, sign
from suite.plans import POLL, lists

TITLE = "empty polls with 64 and 1,000 keep-alive agents, against pgbench and bare libmicrohttpd"
CROWDS = (64, 1000)

# The server's call, its list made by SQL; %s: the number of the list.
STATEMENT = r"""
\set list {number}
SELECT request, job_id, body, secrets, seen, changed, busy, others, slow FROM api.claim_jobs(
    ARRAY[format('agent-%s', :client_id::int)], '{{018f0000-0000-7000-8000-000000000000}}', '{{NULL}}', '{{NULL}}', '{{1}}',
    ARRAY[format('{{lab-%s,kind-%s,site-%s,any}}', :list::int, :list::int % 8, :list::int % 3)], NULL, false);
"""


def polls(bench, lab, ports, agents, shared):
    group = Group("agents", agents, ports).step("poll", POLL, ok=204)
    report = Generator(lab.directory, [group], lists(agents, shared), bench.warm_s, bench.seconds).finish()
    Count(bench.figures, "empty", lab).nothing_unexpected(report, poll=[204])
    return report


def measure_lists(bench, lab, name, shared):
    script = STATEMENT.format(number="0" if shared else "random(0, 63)")
    for _ in bench.turns:
        direct = pgbench.run(lab, script, bench.seconds).rate
        ours = polls(bench, lab, lab.ports, 64, shared)
        add = bench.figures.figure
        add("empty", f"{name} / pgbench", "/s", "pgbench").add(ours.rate("poll"), direct)
        add("empty", f"{name}, p50", "ms").add(ours.ms("poll", "p50"))
        add("empty", f"{name}, p99", "ms").add(ours.ms("poll", "p99"))
        with bare_port() as port:
            bare = polls(bench, lab, [port], 64, shared).rate("poll")
        add("empty", f"{name} / bare libmicrohttpd", "/s", "libmicrohttpd").add(ours.rate("poll"), bare)


def measure_crowd(bench, lab):
    """Many agents cost no more than few."""
    for _ in bench.turns:
        few, many = (polls(bench, lab, lab.ports, crowd, False) for crowd in CROWDS)
        add = bench.figures.figure
        add("empty", "1,000 agents, 64 lists / 64 agents", "/s", "64 agents").add(
            many.rate("poll"), few.rate("poll"))
        add("empty", "1,000 agents, 64 lists, p50", "ms").add(many.ms("poll", "p50"))
        add("empty", "1,000 agents, 64 lists, p99", "ms").add(many.ms("poll", "p99"))


def measure_generator(bench, lab):
    """Ours asks no slower than one that is known to be fast: it is not the generator that is measured."""
    if not shutil.which("wrk"):
        bench.figures.skipped.append(("empty", "the generator: wrk is not installed"))
        return
    for _ in bench.turns:
        with bare_port() as port:
            ours = polls(bench, lab, [port], 64, False).rate("poll")
            theirs = wrk(f"http://127.0.0.1:{port}/v1/job?{query(queue_list(0))}", 64, bench.seconds)
        bench.figures.figure("empty", "the generator / wrk, libmicrohttpd answers", "/s", "wrk").add(ours, theirs)


def wrk(url, connections, seconds):
    done = subprocess.run(["wrk", "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s",
                           "-H", f"Authorization: Bearer {sign('lab-0', 'agent')}",
                           "-H", "Cookie: agent_name=agent-0", url],
                          check=True, text=True, stdout=subprocess.PIPE, timeout=seconds + 60)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])


def measure(bench):
    with Lab(bench) as lab:
        measure_generator(bench, lab)
        measure_lists(bench, lab, "64 lists", False)
        measure_lists(bench, lab, "one shared list", True)
        measure_crowd(bench, lab)
        Count(bench.figures, "empty", lab).claims(0)
