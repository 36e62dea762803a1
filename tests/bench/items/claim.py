# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents that ask and always get a job, of which they do nothing more."""
from suite import pgbench
from suite.counts import Count
from suite.fill import add_waiting
from suite.generator import Generator, Group
from suite.lab import LISTS, Lab, queue_list
from suite.plans import CLAIM, lists

TITLE = "claims, against pgbench making one in each transaction"
AGENTS = 64
JOBS_PER_S = 20_000  # more than this is not claimed in a second of measuring

# As in empty.py; each claim is that of a fresh agent, on both sides.
STATEMENT = r"""
\set list {number}
\set n :n + 1
SELECT request, job_id, body, secrets, seen, changed, busy, others, slow FROM api.claim_jobs(
    ARRAY[format('agent-%s-%s', :client_id::int, :n::int)], ARRAY[gen_random_uuid()], '{{NULL}}', '{{NULL}}', '{{1}}',
    ARRAY[format('{{lab-%s,kind-%s,site-%s,any}}', :list::int, :list::int % 8, :list::int % 3)], NULL, false);
"""


def fill(bench, lab, shared):
    lab.empty()
    count = int(JOBS_PER_S * (bench.seconds + bench.warm_s))
    add_waiting(lab, count, ["any"] if shared else [queue_list(number)[0] for number in range(LISTS)])
    return count


def claims(bench, lab, shared, item="claim"):
    """Claims in a second over HTTP."""
    limit = fill(bench, lab, shared)
    group = Group("agents", AGENTS, lab.ports, limit=limit).step("claim", CLAIM, again=204)
    report = Generator(lab.directory, [group], lists(AGENTS, shared), bench.warm_s, bench.seconds).finish()
    count = Count(bench.figures, item, lab)
    count.nothing_unexpected(report, claim=[200, 204])
    count.jobs(limit)
    count.claims(report.answers("claim", 200))
    return report


def direct_claims(bench, lab, shared):
    limit = fill(bench, lab, shared)
    script = STATEMENT.format(number="0" if shared else "random(0, 63)")
    result = pgbench.run(lab, script, bench.seconds)
    claimed = lab.value("SELECT count(*) FROM tf.attempt")
    Count(bench.figures, "claim", lab).jobs(limit)
    return claimed / result.done * result.rate


def measure_lists(bench, lab, name, shared):
    for _ in bench.turns:
        direct = direct_claims(bench, lab, shared)
        ours = claims(bench, lab, shared)
        add = bench.figures.figure
        rate = ours.rounds("agents")
        add("claim", f"{name} / pgbench", "/s", "pgbench").add(rate, direct)
        add("claim", f"{name}, p50", "ms").add(ours.ms("claim", "p50"))
        add("claim", f"{name}, p99", "ms").add(ours.ms("claim", "p99"))


def measure(bench):
    with Lab(bench) as lab:
        measure_lists(bench, lab, "64 lists", False)
        measure_lists(bench, lab, "one shared list", True)
