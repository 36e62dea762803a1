# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long backlog and a long history cost."""
import uuid

from suite.counts import Count
from suite.fill import add_finished, add_waiting
from suite.generator import Generator, Group
from suite.lab import Lab
from suite.plans import CLAIM, POSITION, lists

TITLE = "claims and positions with a short and a long backlog, and with a long history"
QUEUE = "any"
SHORT = 1000
WAITING, FINISHED = 100_000, 100_000
FULL_WAITING, FULL_FINISHED = (100_000, 1_000_000), 10_000_000
LOOKS = 100  # one after the other


def one_by_one(bench, lab, name, request, **more):
    """One client, one request after the other; its times."""
    group = Group("one", 1, lab.ports, limit=LOOKS).step(name, request)
    report = Generator(lab.directory, [group], {**lists(1, shared=True), **more}, 0, 60).finish()
    Count(bench.figures, "depth", lab).nothing_unexpected(report, **{name: [200]})
    return report


def claim_ms(bench, lab):
    before = lab.value("SELECT count(*) FROM tf.attempt")
    # agents that nobody knows, or they would get again what agents of these names have got
    report = one_by_one(bench, lab, "claim", CLAIM, agent=[f"agent-{uuid.uuid4()}"])
    Count(bench.figures, "depth", lab).equal(
        "claims", lab.value("SELECT count(*) FROM tf.attempt") - before, LOOKS)
    return report.ms("claim", "p50")


def places(lab, order, count):
    """[(job, how many are before it)] from the first or the last on."""
    first = 0 if order == "ASC" else lab.value("SELECT count(*) FROM tf.wait WHERE queue = %s", QUEUE) - 1
    step = 1 if order == "ASC" else -1
    rows = lab.sql(f"SELECT job_id::text FROM tf.wait WHERE queue = %s ORDER BY nprio {order}, seq {order} LIMIT %s",
                   QUEUE, count)
    return [(job, first + step * number) for number, (job,) in enumerate(rows)]


def position_ms(bench, lab, order, count):
    found = places(lab, order, count)
    report = one_by_one(bench, lab, "position", POSITION, waiting=[job for job, _ in found])
    for job, before in (found[0], found[len(found) // 2], found[-1]):
        Count(bench.figures, "depth", lab).equal(
            "position of a job", lab.user().get(f"/v1/job/{job}/position").text, str(before))
    return report.ms("position", "p50")


def measure_backlog(bench, lab, waiting, first_ms):
    """Claims beside those with the short backlog, in ms by turn; returns what it measured."""
    times, add = [], bench.figures.figure
    for turn in bench.turns:
        times.append(claim_ms(bench, lab))
        figure = add("depth", f"claim p50, {waiting:,} waiting" + (f" / {SHORT:,}" if first_ms else ""), "ms",
                     f"{SHORT:,} waiting" if first_ms else None)
        figure.add(times[-1], first_ms[turn] if first_ms else None)
        if first_ms:
            add("depth", f"position of the first {SHORT:,}, {waiting:,} waiting", "ms").add(
                position_ms(bench, lab, "ASC", SHORT))
            add("depth", f"position of the last of {waiting:,}", "ms").add(position_ms(bench, lab, "DESC", SHORT))
    return times


def measure_history(bench, lab, finished, waiting_ms):
    add_finished(lab, finished, QUEUE)
    for turn in bench.turns:
        bench.figures.figure("depth", f"claim p50, {finished:,} finished / none", "ms", "none finished").add(
            claim_ms(bench, lab), waiting_ms[turn])
        bench.figures.figure("depth", f"position of the first {SHORT:,}, {finished:,} finished", "ms").add(
            position_ms(bench, lab, "ASC", SHORT))


def measure(bench):
    with Lab(bench) as lab:
        lab.empty()
        # nothing comes back while positions are compared
        lab.sql("UPDATE tf.lease_rule SET value = most WHERE name = 'undelivered_s'")
        have, times, short_ms = 0, None, None
        for waiting in (SHORT, *(FULL_WAITING if bench.full else (WAITING,))):
            add_waiting(lab, waiting - have, [QUEUE])
            have = waiting - LOOKS * len(bench.turns)
            times = measure_backlog(bench, lab, waiting, short_ms)
            short_ms = short_ms or times
        measure_history(bench, lab, FULL_FINISHED if bench.full else FINISHED, times)
