# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in the storm: a table of faults, and the thread that draws from it.

Each fault is a function (lab, chance, pause) that breaks something, waits, and mends it; pause ends
early when the storm is over.  It returns what it did to whom, or None if there was nothing to do it to.
Who is being broken by one fault is left alone by the others."""
import contextlib
import http.client
import select
import signal
import threading
import time
import urllib.parse

from lab import LEASE_S, QUEUES
from proxy import Meddling
from wait import wait_for


@contextlib.contextmanager
def chosen(candidates, chance):
    """One that no other fault is at work on, or None."""
    free = [one for one in candidates if not one.busy]
    one = chance.choice(free) if free else None
    if one:
        one.busy = True
    try:
        yield one
    finally:
        if one:
            one.busy = False


def replica_killed(lab, chance, pause):
    with chosen(lab.servers, chance) as server:
        if not server:
            return None
        server.process.stop(signal.SIGKILL)
        pause(chance.uniform(0, 2))
        server.start()
        return server.dir.name


def _kill_agent(candidates, chance, pause):
    with chosen(candidates, chance) as agent:
        if not agent:
            return None
        agent.kill()
        pause(chance.uniform(0, 2 * LEASE_S))
        agent.start()
        return agent.name


def agent_killed(lab, chance, pause):
    return _kill_agent(lab.agents, chance, pause)


def parent_killed(lab, chance, pause):
    """The agent of a job of several devices, while others hold devices for it."""
    parents = [a for a in lab.agents if a.is_parent and lab.has_children(a.name)]
    return _kill_agent(parents, chance, pause)


def _kill_database(lab, chance, pause, seconds):
    lab.cluster.halt(chance.choice([signal.SIGQUIT, signal.SIGKILL]))
    pause(seconds)
    lab.cluster.start_again()
    return "postgresql"


def database_killed(lab, chance, pause):
    return _kill_database(lab, chance, pause, chance.uniform(0, 2))


def database_away(lab, chance, pause):
    """For longer than leases last: nobody can renew one."""
    return _kill_database(lab, chance, pause, chance.uniform(1.2, 2) * LEASE_S)


def agent_frozen(lab, chance, pause):
    """Longer than its lease: it goes on when the job may be somebody else's."""
    with chosen(lab.agents, chance) as agent:
        if not agent:
            return None
        agent.freeze()
        pause(chance.uniform(LEASE_S, 3 * LEASE_S))
        agent.thaw()
        return agent.name


def network_cut(lab, chance, pause):
    with chosen(lab.agents, chance) as agent:
        if not agent:
            return None
        agent.cut()
        pause(chance.uniform(0.5, 3 * LEASE_S))
        agent.mend()
        return agent.name


def _meddle(agent, action, pause):
    meddling = agent.proxy.meddle(Meddling(b"GET /v1/job?", action, 2))
    pause(4)
    agent.proxy.mend()
    return agent.name if meddling.done else None


def claim_answer_dropped(lab, chance, pause):
    with chosen(lab.agents, chance) as agent:
        return _meddle(agent, "drop", pause) if agent else None


def claim_answer_delayed(lab, chance, pause):
    with chosen(lab.agents, chance) as agent:
        return _meddle(agent, chance.uniform(0.5, 2 * LEASE_S), pause) if agent else None


# Statements whose answer is lost after the database has committed.
STATEMENTS = [b"claim_jobs", b"submit_job", b"post_result", b"cancel_job", b"renew_lease"]


def commit_cut(lab, chance, pause):
    """The connection dies while the answer to a commit is on its way."""
    proxy = chance.choice(lab.database_proxies)
    meddling = proxy.meddle(Meddling(chance.choice(STATEMENTS), "cut", 3))
    pause(2)
    proxy.mend()
    return meddling.pattern.decode() if meddling.done else None


def connections_cut(lab, chance, _pause):
    proxy = chance.choice(lab.database_proxies)
    proxy.break_connections()
    return "database"


CROWD = 4  # clients that leave together


def _claim(lab, port, name, queues):
    """A connection on which a claim was asked for that waits for work."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        query = urllib.parse.urlencode({"queue": queues, "wait": 5, "lease": 30}, doseq=True)
        connection.request("GET", f"/v1/job?{query}",
                           headers={"Cookie": f"agent_name={name}",
                                    "Authorization": "Bearer " + lab.agent_token})
    except OSError:
        connection.close()
        raise
    return connection


def claimer_left(lab, chance, pause):
    """A client behind haproxy that leaves while its claim waits, or with the answer unread, and never
    comes again; what it was given must come back."""
    name = f"leaver-{chance.getrandbits(32)}"
    try:
        connection = _claim(lab, lab.haproxy.port, name, [chance.choice(QUEUES)])
    except OSError:
        return None
    with contextlib.closing(connection):
        if chance.random() < 0.5:
            pause(chance.uniform(0, 1))
        else:
            select.select([connection.sock], [], [], 10)
    return name


def _has_claimed(lab, name):
    try:
        return lab.query(f"SELECT count(*) FROM tf.lease WHERE agent LIKE '{name}-%'") != "0"
    except AssertionError:
        return False  # nobody can tell while PostgreSQL is away


def claimers_left(lab, chance, pause):
    """Clients that leave when PostgreSQL has given one of them a job and the server does not know it
    yet: it has nobody to give the job to, and has to give it back."""
    name = f"crowd-{chance.getrandbits(32)}"
    with chosen(lab.servers, chance) as server, contextlib.ExitStack() as crowd:
        if not server:
            return None
        proxy = lab.database_proxies[lab.servers.index(server)]
        proxy.meddle(Meddling(b"claim_jobs", 1, CROWD))
        try:
            for number in range(CROWD):
                crowd.enter_context(contextlib.closing(_claim(lab, server.port, f"{name}-{number}", QUEUES)))
            deadline = time.monotonic() + 5
            while not _has_claimed(lab, name) and time.monotonic() < deadline and not pause(0.1):
                pass
        except OSError:
            return None
        finally:
            crowd.close()
            pause(1)
            proxy.mend()
    return name


def twin_agent(lab, chance, pause):
    """A second process with the name of an agent, as on another machine."""
    with chosen(lab.agents, chance) as agent:
        if not agent:
            return None
        twin = agent.start(agent.dir.parent / f"{agent.name}-twin")
        pause(chance.uniform(1, 5))
        twin.process.stop(signal.SIGKILL)
        return agent.name


def bury(lab, agents):
    """Kills agents in the middle of a job, for good, as far as the storm is concerned: what they had must
    be given up although people go on asking for it."""
    for agent in agents:
        wait_for(lambda name=agent.name: lab.holds(name), 60, f"{agent.name} has a job")
        began = time.time()
        agent.kill()
        lab.ledger.write("fault", kind="agent_buried", whom=agent.name, began=began)


# fault -> how often it comes up in a round; a round has them all
FAULTS = {
    replica_killed: 2,
    agent_killed: 3,
    parent_killed: 2,
    database_killed: 1,
    database_away: 1,
    agent_frozen: 3,
    network_cut: 3,
    claim_answer_dropped: 3,
    claim_answer_delayed: 2,
    commit_cut: 3,
    connections_cut: 1,
    claimer_left: 3,
    claimers_left: 4,
    twin_agent: 1,
}
OF_DATABASE = (database_killed, database_away)


class Faults:
    """Threads that break things until stop(); then everything is whole again."""

    def __init__(self, lab, chance, threads=3, pause_s=1.0):
        self.lab, self.chance, self.pause_s = lab, chance, pause_s
        self.lock = threading.Lock()
        self.database = threading.Lock()
        self.stopped = threading.Event()
        self.error = None
        self.round = []
        self.threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def leave(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(180)

    def stop(self):
        self.leave()
        if self.error:
            raise self.error

    def _draw(self):
        """A fault and a source of chance for it: the order of draws is what the seed decides."""
        with self.lock:
            if not self.round:
                self.round = [fault for fault, count in FAULTS.items() for _ in range(count)]
                self.chance.shuffle(self.round)
            return self.round.pop(), type(self.chance)(self.chance.getrandbits(64))

    def _strike(self, fault, chance):
        if fault not in OF_DATABASE:
            return fault(self.lab, chance, self.stopped.wait)
        if not self.database.acquire(blocking=False):
            return None
        try:
            return fault(self.lab, chance, self.stopped.wait)
        finally:
            self.database.release()

    def _run(self):
        try:
            while not self.stopped.is_set():
                fault, chance = self._draw()
                began = time.time()
                whom = self._strike(fault, chance)
                if whom:
                    self.lab.ledger.write("fault", kind=fault.__name__, whom=whom, began=began)
                self.stopped.wait(chance.uniform(0, 2 * self.pause_s))
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.error = error
            self.stopped.set()
