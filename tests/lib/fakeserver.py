# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks just enough of docs/protocol.md for an agent, remembers every request, and
can be told to misbehave: fail, drop connections, be away, cancel a job.  What it offers beside that
is in fakelease.py."""
import json
import re
import threading
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fakelease import Lending, Offers, as_json
from wait import patient, wait_for

AGENT_TOKEN = "refresh-token-of-the-tests"
UNANSWERED = (0, b"", {})


class Request:
    def __init__(self, method, path, query, headers, body):
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.status = None
        self.connection = None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.method} {self.path} {self.status} {self.body[:100]!r}>"


class Rule:
    """Overrules the answers to matching requests, times times (None: always)."""

    def __init__(self, method, pattern, status, body, times, headers):
        self.method, self.pattern = method, re.compile(pattern)
        self.status, self.body, self.times = status, body, times
        self.headers = headers or {}

    def takes(self, request):
        if request.method != self.method or not self.pattern.fullmatch(request.path):
            return False
        if self.times is not None:
            if self.times == 0:
                return False
            self.times -= 1
        return True


class Hold:
    """Makes matching requests wait: before they are answered, or, if late, when what they ask for
    was done and only the reply is missing."""

    def __init__(self, method, pattern, late, text):
        self.method, self.pattern, self.late, self.text = method, re.compile(pattern), late, text
        self.reached = threading.Event()
        self.released = threading.Event()

    def wait_reached(self, timeout_s=60):
        assert self.reached.wait(patient(timeout_s)), f"no {self.method} {self.pattern.pattern} came"

    def release(self):
        self.released.set()

    def takes(self, request, late):
        return (late == self.late and not self.released.is_set() and request.method == self.method
                and self.pattern.fullmatch(request.path) and self.text in request.body)


class Job:
    def __init__(self, definition):
        self.definition = definition
        self.state = "waiting"
        self.status = {}
        self.device_info = None
        self.states = []
        self.fragments = {"output": [], "serial": []}
        self.artifacts = []
        self.attachments = None
        self.events = []
        self.completions = 0
        self.token = None
        self.attempt = 0

    def log(self, phase, kind="output"):
        return "".join(f["log_data"] for f in self.fragments[kind] if f["phase"] == phase)

    def event_names(self):
        return [event["event_name"] for event in self.events]


def same_fragment(one, other):
    return all(one[key] == other[key] for key in ("phase", "fragment_number", "log_data"))


class FakeServer(Lending):
    """start() and stop() may be repeated: the port stays, so does what was recorded."""

    def __init__(self, authenticated=False):
        self.authenticated = authenticated
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.offers = Offers()
        self.stopping = False
        self.requests = []
        self.rules = []
        self.holds = []
        self.trap = None  # called as trap(request, late); if true the request stays unanswered
        self.jobs = {}
        self.waiting = []
        self.agent = {}
        self.queues = {}
        self.images = {}
        self.provision_logs = []
        self.tokens = set()
        self.port = 0
        self.http = None
        self.thread = None

    # --- what tests do ---------------------------------------------------------------

    def start(self):
        fake = self
        self.stopping = False

        class Handler(FakeHandler):
            server_of_tests = fake

        self.http = FakeHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.http.server_port
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        """Closes the port and every connection: whoever asks now is refused."""
        if self.http:
            self.stopping = True
            self.http.shutdown()
            self.http.close_connections()
            self.http.server_close()
            self.thread.join(10)
            self.http = None

    def go_away(self, seconds):
        """Now; it comes back by itself."""
        self.stop()
        back = threading.Timer(seconds, self.start)
        back.daemon = True
        back.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def add_job(self, attachments=None, **definition):
        definition = {"job_id": str(uuid.uuid4()), "job_queue": "q1", "exclude_agents": [],
                      **definition}
        job = Job(definition)
        if attachments is not None:
            job.attachments = attachments
            definition["attachments_status"] = "complete"
        with self.lock:
            self.jobs[definition["job_id"]] = job
            self.waiting.append(job)
            self.changed.notify_all()
        return job

    def overrule(self, method, pattern, status, body=b"", times=None, headers=None):
        """status 0 closes the connection without an answer."""
        rule = Rule(method, pattern, status, body, times, headers)
        with self.lock:
            self.rules.append(rule)
        return rule

    def hold(self, method, pattern, late=False, text=b""):
        """Only requests with text in their body; see Hold."""
        held = Hold(method, pattern, late, text)
        with self.lock:
            self.holds.append(held)
        return held

    def cancel(self, job):
        with self.lock:
            job.state = "cancelled"
            self.changed.notify_all()

    def forget_tokens(self):
        with self.lock:
            self.tokens.clear()

    def seen(self, method, pattern):
        with self.lock:
            return [r for r in self.requests
                    if r.method == method and re.fullmatch(pattern, r.path)]

    def wait_complete(self, job, timeout_s=60):
        wait_for(lambda: job.completions, timeout_s, f"job {job.definition['job_id']} is complete")

    def agent_states(self):
        return [r.json()["state"] for r in self.seen("POST", "/v1/agents/data/.*")
                if r.status == 200 and "state" in r.json()]

    # --- what the agent asks ---------------------------------------------------------

    def wait_held(self, request, late):
        with self.lock:
            held = [hold for hold in self.holds if hold.takes(request, late)]
        for hold in held:
            hold.reached.set()
            hold.released.wait(patient(120))

    def answer(self, request):
        self.wait_held(request, False)
        trap = self.trap
        if trap and trap(request, False):
            return UNANSWERED
        answer = self.answer_now(request)
        self.wait_held(request, True)
        return UNANSWERED if trap and trap(request, True) else answer

    def answer_now(self, request):
        with self.lock:
            self.requests.append(request)
            for rule in self.rules:
                if rule.takes(request):
                    request.status = rule.status
                    return rule.status, rule.body, rule.headers
            status, body, headers = self.route(request)
            request.status = status
            return status, body, headers

    def route(self, request):
        if request.path in ("/v1", "/v1/"):
            return 200, b"Testflinger Server v0", {}
        if request.path == "/v1/oauth2/refresh":
            return self.refresh(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.authenticated and token not in self.tokens:
            return 401, b'{"message": "expired"}', {}
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                if match.groups() and self.is_stale(request, match[1]):
                    return 409, b'{"message": "stale"}', {}
                return handler(self, request, *match.groups())
        return 404, b"Not found", {}

    def refresh(self, request):
        if request.json() != {"refresh_token": AGENT_TOKEN}:
            return 400, b'{"message": "no such token"}', {}
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return 200, as_json({"access_token": token, "token_type": "Bearer", "expires_in": 30}), {}

    def claim(self, request):
        if not request.query.get("queue"):
            return 400, b"", {}
        if "agent_name=" not in request.headers.get("Cookie", ""):
            return 401, b'{"message": "no cookie"}', {}
        if not self.wait_until(request, lambda: self.has_job(request) or self.is_away()):
            return 204, b"", {} # to nobody
        job = self.has_job(request)
        if job and not self.is_away():
            self.waiting.remove(job)
            job.state = "running"
            return self.told(200, as_json({**job.definition, "started_at": "2026-01-01T00:00:00Z",
                                           **self.grant(request, job)}), {})
        headers = {} if self.offers.retry_after is None else {
            "Retry-After": str(self.offers.retry_after)}
        return self.told(204, b"", headers)

    def has_job(self, request):
        for job in self.waiting:
            if job.definition["job_queue"] in request.query["queue"]:
                return job
        return None

    def is_away(self):
        """Only waiting claims know of it, as in docs/protocol.md."""
        return (self.offers.wait_s is not None and
                self.agent.get("state") in ("offline", "maintenance", "restart"))

    def attachments(self, _request, job_id):
        data = self.jobs[job_id].attachments
        return (204, b"", {}) if data is None else (200, data, {})

    def post_result(self, request, job_id):
        job, posted = self.jobs.get(job_id), request.json()
        if job is None:
            return 200, b"OK", {}
        job.status = posted.get("status", job.status)
        job.device_info = posted.get("device_info", job.device_info)
        self.changed.notify_all()
        if "job_state" in posted:
            job.states.append(posted["job_state"])
            job.completions += posted["job_state"] == "complete"
            if job.state not in ("cancelled", "complete"):
                job.state = posted["job_state"]
        return 200, b"OK", {}

    def get_result(self, _request, job_id):
        job = self.jobs.get(job_id)
        if job is None:
            return 204, b"", {}
        result = {f"{phase}_output": job.log(phase) for phase in ("setup", "test") if job.log(phase)}
        return 200, as_json({**result, "job_state": job.state}), {}

    def post_log(self, request, job_id, kind):
        """As the protocol says: a repeat of phase, number and text is stored once, since an agent
        that was killed behind a post cannot know that it arrived."""
        fragment = request.json()
        kept = self.jobs[job_id].fragments[kind]
        if not any(same_fragment(fragment, other) for other in kept[-3:]):
            kept.append(fragment)
        return 200, b"OK", {}

    def post_artifact(self, request, job_id):
        boundary = request.headers["Content-Type"].split("boundary=")[1].encode()
        part = request.body.split(b"--" + boundary)[1]
        head, data = part.split(b"\r\n\r\n", 1)
        assert b'name="file"' in head
        self.jobs[job_id].artifacts.append(data[:-2])
        return 200, b"OK", {}

    def post_events(self, request, job_id):
        self.jobs[job_id].events = request.json()["events"]
        return 200, b"OK", {}

    def post_agent(self, request, name):
        self.agent.update(request.json())
        cookie = f"agent_name={name}; HttpOnly; Path=/; SameSite=Strict"
        return self.told(200, b'{"status":"OK"}', {"Set-Cookie": cookie})

    def get_agent(self, _request, name):
        if not self.agent:
            return self.told(404, b"{}", {})
        return self.told(200, as_json({"name": name, **self.agent}), {})

    def post_queues(self, request):
        self.queues.update(request.json())
        return 200, b"OK", {}

    def post_images(self, request):
        self.images.update(request.json())
        return 200, b"OK", {}

    def post_provision_log(self, request, _name):
        self.provision_logs.append(request.json())
        return 200, b"OK", {}


ROUTES = [
    ("GET", "/v1/job", FakeServer.claim),
    ("GET", "/v1/job/([^/]+)/attachments", FakeServer.attachments),
    ("POST", "/v1/job/([^/]+)/events", FakeServer.post_events),
    ("POST", "/v1/job/([^/]+)/lease", FakeServer.renew),
    ("GET", "/v1/job/([^/]+)/status", FakeServer.status),
    ("POST", "/v1/result/([^/]+)", FakeServer.post_result),
    ("GET", "/v1/result/([^/]+)", FakeServer.get_result),
    ("POST", "/v1/result/([^/]+)/log/(output|serial)", FakeServer.post_log),
    ("POST", "/v1/result/([^/]+)/artifact", FakeServer.post_artifact),
    ("POST", "/v1/agents/data/([^/]+)", FakeServer.post_agent),
    ("GET", "/v1/agents/data/([^/]+)", FakeServer.get_agent),
    ("POST", "/v1/agents/queues", FakeServer.post_queues),
    ("POST", "/v1/agents/images", FakeServer.post_images),
    ("POST", "/v1/agents/provision_logs/([^/]+)", FakeServer.post_provision_log),
]


class FakeHTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *args):
        self.open = set()
        super().__init__(*args)

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def close_connections(self):
        for connection in list(self.open):
            try:
                connection.shutdown(2)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        pass


class FakeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of_tests = None

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def handle_request(self):
        url = urllib.parse.urlsplit(self.path)
        path = url.path.rstrip("/") if url.path != "/" else url.path
        request = Request(self.command, urllib.parse.unquote(path),
                          urllib.parse.parse_qs(url.query), self.headers, self.read_body())
        request.connection = self.connection
        status, body, headers = self.server_of_tests.answer(request)
        if status == 0:
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    do_GET = do_POST = handle_request
