# SPDX-License-Identifier: GPL-3.0-or-later
"""Polls beside requests that take long, not because of work but because somebody else is slow."""
import http.server
import multiprocessing
import threading

from suite.counts import Count
from suite.generator import Generator, Group
from suite.lab import Lab
from suite.plans import AGENT, JSON, POLL, lists

TITLE = "head of line: p99 of polls beside handlers that wait 200 ms for a webhook"
POLLERS = 40
POLL_RATE = 160  # in a second, of all of them
REPORTERS = 40
WEBHOOK_S = 0.2
LONGER = 2


class SlowWebhook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        threading.Event().wait(WEBHOOK_S)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Webhook:
    """with Webhook() as url: …  in a process of its own."""

    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowWebhook)
        self.process = multiprocessing.Process(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.process.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.process.kill()
        self.process.join(60)
        self.server.server_close()


def polls(bench, lab, webhook, beside):
    """p99 of polls at an even rate, in ms."""
    groups = [Group("pollers", POLLERS, lab.ports, rate=POLL_RATE).step("poll", POLL, ok=204)]
    expected = {"poll": [204]}
    if beside:
        event = f'{{"job_status_webhook": "{webhook}/", "events": []}}'
        groups.append(Group("reporters", REPORTERS, lab.ports).step(
            "report", f"POST /v1/job/@reported@/events HTTP/1.1\n{AGENT}\n{JSON}\n\n{event}"))
        expected["report"] = [200]
    used = {**lists(POLLERS), "reported": [lab.value("SELECT min(id::text) FROM tf.job")]}
    report = Generator(lab.directory, groups, used, bench.warm_s, LONGER * bench.seconds).finish()
    Count(bench.figures, "slow", lab).nothing_unexpected(report, **expected)
    return report.ms("poll", "p99")


def measure(bench):
    with Webhook() as webhook, Lab(bench, webhook_base_url=webhook + "/") as lab:
        lab.user().submit("reported", job_status_webhook=webhook + "/")
        for _ in bench.turns:
            alone = polls(bench, lab, webhook, False)
            beside = polls(bench, lab, webhook, True)
            bench.figures.figure("slow", "polls' p99 beside slow handlers", "ms", "alone").add(beside, alone)
