# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab to be broken: PostgreSQL, three servers, haproxy, twelve agents; proxies between all of them.

    agents -> a proxy each -> haproxy -> servers -> a proxy each -> PostgreSQL

Some agents know no leases, as those of today; some are for jobs of several devices; some live in a
network namespace of their own, where that is permitted, so that their cable can be pulled for real."""
import json
import pathlib
import signal
import subprocess

from agent import Agent
from bugs import plant
from cluster import SERVER_LOGIN, Cluster
from haproxy import Haproxy
from ledger import Ledger
from netns import Namespace
from programs import program
from proxy import Proxies
from server import ADMIN_ID, ADMIN_SECRET, Server, dbadmin
from wait import wait_for

HERE = pathlib.Path(__file__).resolve().parent
REPLICAS = 3
AGENTS = 12
TOKENLESS = 4
PARENTS = 2
NAMESPACES = 2
AGENT_END_S = 30
OLD_QUEUE = "storm-old"  # only agents without leases serve it
QUEUES = ["storm-a", "storm-b", "storm-c", OLD_QUEUE]
PARENT_QUEUE = "storm-parent"
DATABASE = "storm"
AGENT_SECRET = "a-secret-of-the-storm's-agents"

# The times of the rules of leases, short, so that each rule is met often.
LEASE_S = 8
RULES = {"undelivered_s": 5, "offer_again_s": 2, "left_job_s": 10, "outage_gap_s": 6,
         "outage_grace_s": 8, "brake_percent": 100, "brake_least": 1000, "running": 8, "setup": 8,
         "test": 8, "cleanup": 8, "other": 8, "attachments": 8, "cancelled": 8}
SERVER_OPTIONS = {"bcrypt_cost": 4, "access_token_lifetime_s": 3600, "lease_min_s": 1,
                  "reap_period_ms": 300}
AGENT_OPTIONS = {"polling_interval": 1, "kill_grace": 1, "cancel_interval": 1, "stop_timeout": 10,
                 "retry_pause_ms": 50, "server_pause_min": 1, "server_pause_max": 2}


class StormAgent:
    """An agent behind a proxy, or in a namespace, that can be killed, frozen and cut off."""

    def __init__(self, lab, number):
        self.lab, self.number = lab, number
        self.name = f"storm-{number:02}"
        self.leased = number >= TOKENLESS
        self.is_parent = number >= AGENTS - PARENTS
        self.namespace = lab.namespaces.pop() if self.leased and lab.namespaces else None
        self.dir = lab.dir / self.name
        self.proxy = lab.proxies.add(("127.0.0.1", lab.haproxy.port),
                                     listen=self.namespace.near if self.namespace else "127.0.0.1")
        self.token = self._token()
        self.process = None
        self.busy = False  # a fault is at work on it

    def _token(self):
        secret = self.lab.dir / "agent-secret"
        secret.write_text(AGENT_SECRET + "\n")
        dbadmin(self.lab.cluster, DATABASE, "client", "add", self.name, "--role", "agent",
                "--secret-file", str(secret))
        return json.loads(dbadmin(self.lab.cluster, DATABASE, "client", "refresh-token",
                                  self.name))["refresh_token"]

    def options(self):
        options = {**AGENT_OPTIONS, "lease_s": LEASE_S if self.leased else 0,
                   "job_queues": self.queues()}
        for phase in ("setup", "test", "allocate", "cleanup"):
            options[f"{phase}_command"] = f"{HERE}/phase {phase} {self.lab.ledger.path} {self.name}"
        return {**options, **self.parent_options(options)} if self.is_parent else options

    def queues(self):
        queues = [queue for queue in QUEUES if queue != OLD_QUEUE or not self.leased]
        return queues if self.number % 2 else [queue for queue in queues if queue != QUEUES[2]]

    def parent_options(self, options):
        """Of an agent whose jobs bring jobs for other agents: the real connector gets and ends them."""
        config = self.lab.dir / f"{self.name}.yaml"
        config.write_text(json.dumps({"agent_name": self.name, "testflinger_server": self.url,
                                      "allocation_step": 0.2, "server_pause": 0.2}))
        connector = f"{program('testflinger-device-connector')} multi %s -c {config} testflinger.json"
        return {"job_queues": [PARENT_QUEUE], "provision_command": connector % "provision",
                "cleanup_command": f"{connector % 'cleanup'}; {options['cleanup_command']}"}

    @property
    def url(self):
        host, port = self.proxy.address
        return f"http://{host}:{port}"

    def start(self, directory=None):
        """directory: for a second process of the same name, as on another machine."""
        where = directory or self.dir
        where.mkdir(parents=True, exist_ok=True)
        agent = Agent(where, self.url, self.name, token=self.token,
                      prefix=self.namespace.inside() if self.namespace else (), **self.options())
        agent.start()
        if directory is None:
            self.process = agent.process
        return agent

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def freeze(self):
        self.process.send(signal.SIGSTOP)

    def thaw(self):
        self.process.send(signal.SIGCONT)

    def cut(self):
        if self.namespace:
            self.namespace.pull()
        else:
            self.proxy.cut()

    def mend(self):
        if self.namespace:
            self.namespace.plug()
        self.proxy.mend()


def make_namespaces():
    """(namespaces, why there are none)"""
    made = []
    try:
        for number in range(NAMESPACES):
            made.append(Namespace(number))
    except (PermissionError, FileNotFoundError) as error:
        return made, str(error)
    return made, None


class Lab:
    def __init__(self, directory, bug=None):
        self.dir = pathlib.Path(directory)
        self.ledger = Ledger(self.dir / "ledger")
        self.cluster = Cluster()
        self.proxies = Proxies()
        self.namespaces, self.without_namespaces = make_namespaces()
        self.all_namespaces = list(self.namespaces)
        self.servers, self.agents, self.haproxy, self.agent_token = [], [], None, None
        self.prepare_database()
        if bug:
            plant(self.cluster, DATABASE, bug)
        self.database_proxies = [self._database_proxy(number) for number in range(REPLICAS)]

    def prepare_database(self):
        self.cluster.migrate(DATABASE)
        dbadmin(self.cluster, DATABASE, "client", "add", ADMIN_ID, "--role", "admin",
                given=ADMIN_SECRET + "\n")
        for name, value in RULES.items():
            dbadmin(self.cluster, DATABASE, "lease-rule", "set", f"{name}={value}")

    def _database_proxy(self, number):
        """A directory with a socket in it, since that is what libpq takes."""
        where = self.cluster.dir / f"proxy{number}"
        where.mkdir()
        where.chmod(0o755)
        return self.proxies.add(f"{self.cluster.dir}/.s.PGSQL.5432", listen=f"{where}/.s.PGSQL.5432")

    def start(self):
        for number, proxy in enumerate(self.database_proxies):
            server = Server(self.cluster, DATABASE, self.dir, f"server{number}", **SERVER_OPTIONS)
            server.options["database"] = (f"host={pathlib.Path(proxy.address).parent} "
                                          f"dbname={DATABASE} user={SERVER_LOGIN}")
            server.busy = False
            self.servers.append(server.start())
        self.haproxy = Haproxy(self.servers, self.dir)
        self.agents = [StormAgent(self, number) for number in range(AGENTS)]
        self.agent_token = self.servers[0].token(*self.servers[0].add_client("leaver", "agent"))
        for agent in self.agents:
            agent.start()
        return self

    def query(self, sql):
        return self.cluster.psql(sql, DATABASE)

    def holds(self, agent):
        """Has this agent a job under way, by what the database says?"""
        return self.query("SELECT count(*) FROM tf.lease WHERE confirmed IS NOT NULL"
                          f" AND agent = '{agent}'") != "0"

    def has_children(self, agent):
        """Is there another agent that has a job for a job of this one?  No, if nobody can tell."""
        try:
            return self.query("SELECT count(*) FROM tf.lease l JOIN tf.job c ON c.parent_id = l.job_id"
                              " JOIN tf.lease o ON o.job_id = c.id WHERE l.agent = "
                              f"'{agent}'") != "0"
        except AssertionError:
            return False

    def unfinished(self):
        return int(self.query("SELECT count(*) FROM tf.job WHERE final_state IS NULL"))

    def until_quiet(self, timeout_s):
        """Until no job is under way or waiting any more."""
        wait_for(lambda: self.unfinished() == 0, timeout_s, "all jobs have ended")

    def end_agents(self):
        """With the commands of their jobs, which SIGKILL would leave."""
        running = [agent for agent in self.agents if agent.process and agent.process.running()]
        for agent in running:
            agent.thaw()
            agent.process.send(signal.SIGTERM)
        for agent in running:
            try:
                agent.process.popen.wait(AGENT_END_S)
            except subprocess.TimeoutExpired:
                agent.kill()

    def stop(self):
        self.end_agents()
        if self.haproxy:
            self.haproxy.stop()
        for server in self.servers:
            if server.process and server.process.running():
                server.process.stop(signal.SIGKILL)
        self.cluster.stop()
        self.proxies.stop()
        for namespace in self.all_namespaces:
            namespace.stop()
