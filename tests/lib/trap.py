# SPDX-License-Identifier: GPL-3.0-or-later
"""Something that happens at one request of a job: a fake server's trap."""
import re
import threading

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


class Trap:
    """Counts the requests that follow a claim.  When number at arrives (late: when it was done and only
    the answer is missing) act is called, once, and that request stays without an answer unless it is
    to be answered all the same."""

    def __init__(self, at=None, late=False, act=None, answered=False):
        self.at, self.late, self.act, self.answered = at, late, act, answered
        self.lock = threading.Lock()
        self.claimed = False
        self.requests = []
        self.sprung = threading.Event()

    def __call__(self, request, late):
        with self.lock:
            if not late and self.claimed:
                self.requests.append(request)
            self.claimed = self.claimed or (late and request.path == "/v1/job"
                                            and request.status == 200)
            if late != self.late or self.sprung.is_set() or self.number_of(request) != self.at:
                return False
            self.sprung.set()
        self.act()
        return not self.answered

    def number_of(self, request):
        """0: it does not count, and at is never that."""
        return self.requests.index(request) + 1 if request in self.requests else 0

    def label(self):
        """Where it happened."""
        if self.at is None or len(self.requests) < self.at:
            return "nothing"
        request = self.requests[self.at - 1]
        return (f"{'after' if self.late else 'before'} {request.method} "
                f"{UUID.sub('ID', request.path)} {request.body[:80]!r}")

    def was_outcome(self):
        return b'"job_state":"complete"' in self.requests[self.at - 1].body
