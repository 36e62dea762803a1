# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server may offer beside today's protocol, for the server of the tests: leases, and requests
that wait.  Nothing of it is offered until a test says so."""
import json
import select
import socket
import time
import uuid

LEASE_HEADER = "Testflinger-Lease"
LOOK_S = 0.02


def as_json(value):
    return json.dumps(value).encode()


class Offers:
    lease_s = None       # what a lease granted lasts; None: none is granted
    stop_after = 3600
    wait_s = None        # how long a request may wait; None: not at all
    has_status = True    # GET /v1/job/ID/status is there
    retry_after = None   # told with a claim that got nothing


class Lending:
    """Mixed into FakeServer, which has .lock, .jobs and .waiting.  Methods that answer are called
    with the lock held once; waiting gives it up."""

    def offer(self, **offers):
        with self.lock:
            for name, value in offers.items():
                assert hasattr(Offers, name), name
                setattr(self.offers, name, value)

    def give_away(self, job):
        """Another agent has the job: the token of the first is stale."""
        with self.lock:
            job.token = str(uuid.uuid4())
            job.attempt += 1

    def renewals(self, job):
        return self.seen("POST", f"/v1/job/{job.definition['job_id']}/lease")

    # --- what the agent asks ---------------------------------------------------------

    def grant(self, request, job):
        """The member of a claim's answer."""
        job.attempt += 1
        job.token = None
        if self.offers.lease_s is None or "lease" not in request.query:
            return {}
        job.token = str(uuid.uuid4())
        return {"lease": {"token": job.token, "seconds": self.offers.lease_s,
                          "attempt": job.attempt, "stop_after": self.offers.stop_after}}

    def is_stale(self, request, job_id):
        token, job = request.headers.get(LEASE_HEADER), self.jobs.get(job_id)
        return token is not None and (job is None or token != job.token)

    def renew(self, _request, job_id):
        if self.offers.lease_s is None:
            return 404, b"Not found", {}
        job = self.jobs[job_id]
        return 200, as_json({"job_state": job.state, "cancelled": job.state == "cancelled",
                             "expires_at": "2026-01-01T00:00:00Z"}), {}

    def version(self, job):
        return f"v-{job.state}-{len(job.status)}"

    def status(self, request, job_id):
        if not self.offers.has_status:
            return 404, b"Not found", {}
        job = self.jobs[job_id]
        after = request.query.get("after", [None])[0]
        if after is not None:
            self.wait_until(request, lambda: self.version(job) != after)
        return 200, as_json({"job_id": job_id, "job_state": job.state,
                             "version": self.version(job)}), {}

    def told(self, status, body, headers):
        """The answer to a claim or about an agent, with what is offered."""
        if self.offers.wait_s is not None:
            headers = {**headers, "Accept-Wait": str(self.offers.wait_s)}
        return status, body, headers

    def wait_until(self, request, is_true):
        """As the request asks; gives up when its client goes away or the server stops."""
        asked = int(request.query.get("wait", ["0"])[0])
        until = time.monotonic() + min(asked, self.offers.wait_s or 0)
        while not is_true() and time.monotonic() < until and not self.stopping:
            self.changed.wait(LOOK_S)
            if is_gone(request.connection):
                return False
        return True


def is_gone(connection):
    """Nobody would read an answer."""
    try:
        ready, _, _ = select.select([connection], [], [], 0)
        return bool(ready) and not connection.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True
