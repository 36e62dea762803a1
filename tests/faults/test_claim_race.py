# SPDX-License-Identifier: GPL-3.0-or-later
"""32 agents claim 2,000 jobs of mixed queues, priorities and exclusions over three servers: each job
is handed out exactly once, in order for each agent, and none is left."""
import http.client
import itertools
import json
import random
import threading
import urllib.parse

import pytest

from server import Server

SERVERS = 3
CLAIMERS = 32
JOBS = 2000
QUEUES = [f"race-{number}" for number in range(8)]
SUBMITTERS = 8


@pytest.fixture(name="servers", scope="module")
def three_servers(cluster, database, tmp_path_factory):
    made = [Server(cluster, database, tmp_path_factory.mktemp("race"), f"server{number}",
                   bcrypt_cost=4).start() for number in range(SERVERS)]
    yield made
    for server in made:
        assert server.stop() == 0, server.process.tail()


class Caller:
    """One kept connection to one server."""

    def __init__(self, server, token=None, cookie=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = "Bearer " + token
        if cookie:
            self.headers["Cookie"] = cookie

    def call(self, method, path, body=None):
        self.connection.request(method, path, body=json.dumps(body) if body is not None else None,
                                headers=self.headers)
        answer = self.connection.getresponse()
        data = answer.read()
        assert answer.status in (200, 204), (path, answer.status, data)
        return json.loads(data) if answer.status == 200 and data.startswith(b"{") else None


class Agent:
    """Claims until there is nothing, and ends each job at once."""

    def __init__(self, server, name, queues, token):
        self.name = name
        self.queues = queues
        self.caller = Caller(server, token, f"agent_name={name}")
        self.got = []
        self.error = None
        self.caller.call("POST", f"/v1/agents/data/{name}", {"queues": queues, "state": "waiting"})

    def claim_all(self, start):
        path = "/v1/job?" + urllib.parse.urlencode([("queue", queue) for queue in self.queues])
        start.wait()
        try:
            while job := self.caller.call("GET", path):
                self.got.append(job["job_id"])
                self.caller.call("POST", f"/v1/result/{job['job_id']}",
                                 {"status": {"test": 0}, "job_state": "complete"})
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.error = error


def make_agents(servers, token):
    chance = random.Random(1)
    agents = []
    for number in range(CLAIMERS):
        # the first eight make sure that every queue has more than one agent
        queues = set(chance.sample(QUEUES, chance.randint(1, 5))) | {QUEUES[number % len(QUEUES)]}
        agents.append(Agent(servers[number % SERVERS], f"racer-{number:02}", sorted(queues), token))
    return agents


def make_jobs(agents):
    chance = random.Random(2)
    for number in range(JOBS):
        queue = chance.choice(QUEUES)
        serving = [agent.name for agent in agents if queue in agent.queues]
        excluded = chance.sample(serving, chance.randint(0, len(serving) - 1)) \
            if number % 4 == 0 else []
        yield {"job_queue": queue, "job_priority": chance.randint(0, 3), "exclude_agents": excluded,
               "name": f"job {number}"}


def submit_all(servers, token, jobs):
    """{job id: job}; submitted over all servers at once."""
    made = {}
    source = iter(list(jobs))
    lock = threading.Lock()

    def submit(server):
        caller = Caller(server, token)
        while True:
            with lock:
                job = next(source, None)
            if job is None:
                return
            made[caller.call("POST", "/v1/job", job)["job_id"]] = job
    run_all([(submit, (servers[number % SERVERS],)) for number in range(SUBMITTERS)])
    return made


def run_all(calls):
    threads = [threading.Thread(target=target, args=arguments) for target, arguments in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive()


def test_each_job_is_handed_out_once_and_in_order(servers, cluster, database):
    limits = {"max_priority": {"*": 9}}
    submitter = servers[0].token(*servers[0].add_client("racing-user", "contributor", **limits))
    agent_token = servers[0].token(*servers[0].add_client("racing-agent", "agent"))
    agents = make_agents(servers, agent_token)
    jobs = submit_all(servers, submitter, make_jobs(agents))
    assert len(jobs) == JOBS
    rows = cluster.psql("SELECT id, seq FROM tf.job", database).splitlines()
    place = {job_id: (-jobs[job_id]["job_priority"], int(seq))
             for job_id, seq in (row.split("|") for row in rows) if job_id in jobs}

    start = threading.Barrier(CLAIMERS)
    run_all([(agent.claim_all, (start,)) for agent in agents])
    assert [agent.error for agent in agents if agent.error] == []

    handed_out = list(itertools.chain.from_iterable(agent.got for agent in agents))
    assert len(handed_out) == len(set(handed_out)), "a job was handed out twice"
    assert set(handed_out) == set(jobs), "jobs are left"
    assert cluster.psql("SELECT count(*) FROM tf.wait", database) == "0"
    assert cluster.psql("SELECT count(*) FROM tf.lease", database) == "0"
    assert cluster.psql("SELECT count(*) FROM tf.attempt WHERE attempt > 0", database) == str(JOBS)
    for agent in agents:
        for job_id in agent.got:
            assert jobs[job_id]["job_queue"] in agent.queues
            assert agent.name not in jobs[job_id]["exclude_agents"]
        # All jobs were there before the race began, so what an agent may have comes in order.
        assert [place[job_id] for job_id in agent.got] == sorted(place[job_id]
                                                                 for job_id in agent.got), agent.name
    assert sum(1 for agent in agents if len(agent.got) > 5) > CLAIMERS // 2, "a few took them all"
