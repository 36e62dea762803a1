# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake server that takes jobs: what a multi-device job asks of a server."""
import base64
import json
import re
import uuid

from fakeserver import FakeServer, Job, as_json
from wait import wait_for


class JobServer(FakeServer):
    def __init__(self, credentials=None):
        """credentials: ("id", "secret") that are needed, or None."""
        super().__init__(authenticated=credentials is not None)
        self.credentials = credentials
        self.refused = {}  # queue -> (status, message)
        self.lose_replies = 0  # of submissions that were taken

    def route(self, request):
        if request.path == "/v1/oauth2/token":
            return self.log_in(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.authenticated and not request.path.startswith("/v1/oauth2") and token not in self.tokens:
            return 401, b'{"message": "expired"}', {}
        for method, pattern, handler in (("POST", "/v1/job", self.submit),
                                         ("GET", "/v1/job/([^/]+)", self.show),
                                         ("POST", "/v1/job/([^/]+)/action", self.act),
                                         ("GET", "/v1/result/([^/]+)", self.result)):
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                return handler(request, *match.groups())
        return super().route(request)

    def log_in(self, request):
        expected = base64.b64encode(":".join(self.credentials).encode()).decode()
        if request.headers.get("Authorization") != "Basic " + expected:
            return 401, b'{"message": "wrong credentials"}', {}
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return 200, as_json({"access_token": token}), {}

    def submit(self, request):
        definition = request.json()
        status, message = self.refused.get(definition["job_queue"], (200, ""))
        if status != 200:
            return status, as_json({"message": message}), {}
        self.jobs[definition["job_id"]] = Job(definition)
        if self.lose_replies > 0:
            self.lose_replies -= 1
            return 0, b"", {}
        return 200, as_json({"job_id": definition["job_id"]}), {}

    def show(self, _request, job_id):
        job = self.jobs.get(job_id)
        return (204, b"", {}) if job is None else (200, as_json(job.definition), {})

    def act(self, request, job_id):
        job = self.jobs.get(job_id)
        if job is None or job.state in ("cancelled", "complete", "completed"):
            return 400, b'{"message": "it has ended"}', {}
        assert request.json() == {"action": "cancel"}
        job.state = "cancelled"
        return 200, b"OK", {}

    def result(self, _request, job_id):
        job = self.jobs.get(job_id)
        if job is None:
            return 204, b"", {}
        info = {} if job.device_info is None else {"device_info": job.device_info}
        return 200, as_json({"job_state": job.state, "setup_output": "x" * 1000, **info}), {}

    # --- what tests do ---------------------------------------------------------------

    def parent(self, job_id):
        """The multi-device job itself, running."""
        self.jobs[job_id] = Job({"job_id": job_id})
        self.jobs[job_id].state = "provision"
        return self.jobs[job_id]

    def children(self):
        with self.lock:
            return [job for job in self.jobs.values() if "parent_job_id" in job.definition]

    def wait_children(self, count):
        wait_for(lambda: len(self.children()) >= count, what=f"{count} jobs are submitted")
        return self.children()

    def allocate(self, job, device_ip, **more):
        with self.lock:
            job.device_info = {"device_ip": device_ip, **more}
            job.state = "allocated"

    def looks(self, job_id):
        return len(self.seen("GET", f"/v1/result/{job_id}"))

    def __repr__(self):
        return json.dumps({job_id: job.state for job_id, job in self.jobs.items()})
