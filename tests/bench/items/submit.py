# SPDX-License-Identifier: GPL-3.0-or-later
"""People that submit jobs, one in each request."""
from suite import pgbench
from suite.counts import Count
from suite.generator import Generator, Group
from suite.lab import Lab
from suite.plans import BARE, BARE_TABLE, DEFINITION, SUBMIT, lists

TITLE = "submissions, against pgbench inserting one bare row and pgbench calling api.submit_job()"
PEOPLE = 64

# The server's call, its facts made by SQL.
CALL = rf"""
\set list random(0, 63)
SELECT job_id FROM api.submit_job({DEFINITION}, jsonb_build_object(
    'new_id', gen_random_uuid(), 'sha256', repeat('0', 64), 'queue', 'lab-' || :list::int,
    'client_id', 'user-' || :client_id::int, 'authenticated', true));
"""


def submissions(bench, lab):
    lab.empty()
    group = Group("people", PEOPLE, lab.ports).step("submit", SUBMIT)
    report = Generator(lab.directory, [group], lists(1), bench.warm_s, bench.seconds).finish()
    count = Count(bench.figures, "submit", lab)
    count.nothing_unexpected(report, submit=[200])
    count.jobs(report.answers("submit", 200))
    return report


def direct(bench, lab, script, user):
    lab.empty()
    return pgbench.run(lab, script, bench.seconds, user=user).rate


def measure(bench):
    with Lab(bench) as lab:
        lab.sql(BARE_TABLE)
        for _ in bench.turns:
            bare = direct(bench, lab, BARE, "postgres")
            call = direct(bench, lab, CALL, pgbench.SERVER_LOGIN)
            ours = submissions(bench, lab)
            add = bench.figures.figure
            add("submit", "64 queues / bare insert", "/s", "pgbench, one row").add(ours.rate("submit"), bare)
            add("submit", "64 queues / api.submit_job", "/s", "pgbench, our call").add(ours.rate("submit"), call)
            add("submit", "64 people, p50", "ms").add(ours.ms("submit", "p50"))
            add("submit", "64 people, p99", "ms").add(ours.ms("submit", "p99"))
