# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of running jobs on its way in, and people who follow it."""
import json
import random

from suite import pgbench
from suite.counts import Count
from suite.generator import Generator, Group
from suite.lab import Lab
from suite.plans import AGENT, JSON, USER, lists

TITLE = "log ingest in MB/s, against pgbench calling api.post_log(); 200 readers that follow"
WRITERS = 64
READERS = 200  # each looks once in a second
SIZES = {"4 KiB": 4 << 10, "64 KiB": 64 << 10}
WORDS = ("booting kernel device ready timeout sensor test passed failed image flash write verify ok"
         " 0x1f 0xa0 [ ] : - / = 12 384 9001").split()

CALL = r"""
\set n :n + 1
SELECT api.post_log(({jobs})[:client_id::int + 1], 'agent-' || :client_id::int, NULL, 'output', 'test',
                    :n::bigint, now(), '{text}'::bytea);
"""
READ = f"GET /v1/result/@logged@/log/output?phase=test&start_fragment=@next@ HTTP/1.1\n{USER}\n"


def output(size):
    """What commands print: it repeats itself, but not as much as one letter."""
    words, chosen = random.Random(size), []
    while sum(map(len, chosen)) < size:
        chosen.append(words.choice(WORDS) + (" " if len(chosen) % 12 else "\n"))
    return "".join(chosen)[:size]


def running_jobs(lab):
    """A job for each of the agents, claimed."""
    lab.empty()
    user, jobs = lab.user(), []
    for number in range(WRITERS):
        jobs.append(user.submit(f"logged-{number}"))
        assert lab.agent(f"agent-{number}").claim(f"logged-{number}")["job_id"] == jobs[-1]
    return jobs


def ingest(bench, lab, text, readers):
    jobs = running_jobs(lab)
    body = json.dumps({"fragment_number": 0, "timestamp": "2026-01-01T00:00:00Z", "phase": "test",
                       "log_data": text}).replace('"fragment_number": 0', '"fragment_number": @round@')
    writers = Group("writers", WRITERS, lab.ports).step(
        "post", f"POST /v1/result/@logged@/log/output HTTP/1.1\n{AGENT}\n{JSON}\n\n{body}")
    groups, expected = [writers], {"post": [200]}
    if readers:
        groups.append(Group("readers", readers, lab.ports, rate=readers).step("read", READ))
        expected["read"] = [200]
    report = Generator(lab.directory, groups, {**lists(WRITERS), "logged": jobs}, bench.warm_s,
                       bench.seconds).finish()
    count = Count(bench.figures, "logs", lab)
    count.nothing_unexpected(report, **expected)
    count.equal("bytes of logs", int(lab.value("SELECT coalesce(sum(octet_length(data)), 0) FROM tf.log")),
                report.answers("post", 200) * len(text))
    return report


def direct_mb(bench, lab, text):
    jobs = running_jobs(lab)
    listed = "ARRAY[" + ",".join(f"'{job}'" for job in jobs) + "]::uuid[]"
    result = pgbench.run(lab, CALL.format(jobs=listed, text=text), bench.seconds)
    return result.rate * len(text) / 1e6


def measure(bench):
    add = bench.figures.figure
    with Lab(bench) as lab:
        for _ in bench.turns:
            alone = {}
            for name, size in SIZES.items():
                text = output(size)
                direct = direct_mb(bench, lab, text)
                alone[name] = ingest(bench, lab, text, 0).rate("post") * size / 1e6
                add("logs", f"fragments of {name} / pgbench", "MB/s", "pgbench").add(alone[name], direct)
            report = ingest(bench, lab, output(SIZES["4 KiB"]), READERS)
            add("logs", "fragments of 4 KiB beside 200 readers / alone", "MB/s", "alone").add(
                report.rate("post") * SIZES["4 KiB"] / 1e6, alone["4 KiB"])
            add("logs", "200 readers got", "MB/s").add(report.step("read")["bytes_in"] / report.seconds / 1e6)
            add("logs", "200 readers, p50", "ms").add(report.ms("read", "p50"))
            add("logs", "200 readers, p99", "ms").add(report.ms("read", "p99"))
