# SPDX-License-Identifier: GPL-3.0-or-later
"""People and CI systems in the storm: they submit jobs, repeat what was not acknowledged, cancel some, and
look at results all the time."""
import http.client
import json
import random
import threading
import urllib.parse
import uuid

ANSWER_S = 20
PAUSE_S = 0.2
WATCHED = 5
BURST = 20
FINAL = ("complete", "completed", "cancelled")

# kind of job -> what is added to the definition, how often it may run, how often phases fail
KINDS = {
    "plain": ({}, 2, {}),
    "failing": ({}, 2, {"test": 99}),
    "retried": ({"retry": {"max": 3, "on": ["agent_lost"]}}, 4, {}),
    "patient": ({"retry": {"max": 2, "on": ["agent_lost"], "backoff": 2}}, 3, {}),
    "elsewhere": ({"retry": {"max": 2, "on": ["agent_lost"], "avoid_same_agent": True}}, 3, {}),
    "parent": ({}, 2, {}),
    "infra": ({"retry": {"max": 2, "on": ["setup"]}}, 3, {"setup": 1}),
}


def call(url, method, path, body=None, headers=None):
    """(status, parsed body); status 0 when there was no answer."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_S)
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body),
                           headers={"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data[:1] in (b"{", b"[") else data.decode()
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()


def plan(chance, failures):
    """What the phases of a job do (the program phase)."""
    seconds = {"setup": chance.uniform(0, 0.3), "test": chance.uniform(0, 1.5)}
    return {"test_data": {"test_cmds": json.dumps({"seconds": seconds, "failures": failures})}}


class People:
    """Threads that submit until stop(); then acknowledged has every job that the server took."""

    def __init__(self, url, ledger, seed, *, queues, parent_queue, threads=2, pause_s=0.5):
        self.url, self.ledger, self.pause_s = url, ledger, pause_s
        self.queues, self.parent_queue = queues, parent_queue
        self.stopped = threading.Event()
        self.acknowledged = []
        self.error = None
        self.gone = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(random.Random(f"{seed}/{i}"),))
                        for i in range(threads)]
        self.watcher = threading.Thread(target=self._watch)

    def start(self):
        for thread in [*self.threads, self.watcher]:
            thread.start()
        return self

    def leave(self):
        """They look no more."""
        self.gone.set()
        self.watcher.join(120)

    def stop(self):
        """They submit no more, but still look."""
        self.stopped.set()
        for thread in self.threads:
            thread.join(120)
        if self.error:
            raise self.error

    def _run(self, chance):
        try:
            burst = 0  # at times many jobs come at once, and agents are rare
            while not self.stopped.wait(0 if burst else chance.uniform(0, 2 * self.pause_s)):
                burst = burst - 1 if burst else BURST * (chance.random() < 0.04)
                job = self._submit(chance)
                if job and chance.random() < 0.15:
                    self.stopped.wait(chance.uniform(0, 3))
                    self._cancel(job)
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.error = error

    def _watch(self):
        """As a client that follows a job; some say whose agent they think they are talking of."""
        ended = set()
        while not self.gone.wait(PAUSE_S):
            for job in [job for job in list(self.acknowledged) if job not in ended][:WATCHED]:
                status, answer = call(self.url, "GET", f"/v1/job/{job}/status")
                call(self.url, "GET", f"/v1/result/{job}")
                if status == 200 and answer["job_state"] in FINAL:
                    ended.add(job)
                if self.gone.is_set():
                    break

    def _submit(self, chance):
        kind = chance.choices(list(KINDS), [3 if name == "infra" else 1 for name in KINDS])[0]
        more, runs, failures = KINDS[kind]
        body = {"job_queue": chance.choice(self.queues), **plan(chance, failures), **more}
        if kind == "parent":
            children = [{"job_queue": chance.choice(self.queues), **plan(chance, {})}
                        for _ in range(chance.randint(1, 2))]
            body.update(job_queue=self.parent_queue, provision_data={"jobs": children},
                        allocation_timeout=60)
        key, headers = str(uuid.UUID(int=chance.getrandbits(128), version=4)), {}
        if chance.random() < 0.5:
            body["job_id"] = key
        else:
            headers["Idempotency-Key"] = key
        while True:
            status, answer = call(self.url, "POST", "/v1/job", body, headers)
            if status == 200:
                break
            assert status in (0, 502, 503, 504), (status, answer)
            if self.stopped.wait(PAUSE_S):
                return None  # never acknowledged: it may be there or not
        job = answer["job_id"]
        self.ledger.write("submitted", job=job, kind=kind, runs=runs)
        self.acknowledged.append(job)
        return job

    def _cancel(self, job):
        status, _ = call(self.url, "POST", f"/v1/job/{job}/action", {"action": "cancel"})
        if status == 200:
            self.ledger.write("cancelled", job=job)
