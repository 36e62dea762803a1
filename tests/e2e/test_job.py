# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way of a job: submitted, claimed, run, followed, fetched."""
import hashlib
import io
import json
import re
import signal
import tarfile

import pytest

from conftest import Agent, Client, job
from wait import wait_for

BANNER = re.compile(r"^\*+\n\* Starting testflinger \w+ phase on \S+ \*\n\*+\n", re.M)


def without_banners(text):
    return BANNER.sub("", text)


class Gate:
    """A place in a job's script where it waits until the test lets it pass."""

    def __init__(self, directory, name="gate"):
        self.path = directory / name
        self.reached = directory / (name + "-reached")

    @property
    def script(self):
        return f"touch '{self.reached}'; while [ ! -e '{self.path}' ]; do sleep 0.1; done\n"

    def wait_until_reached(self):
        wait_for(self.reached.exists, what="the job reaches its gate")

    def open(self):
        self.path.touch()


def test_output_comes_while_the_job_runs_and_the_exit_status_tells_success(client, agent, tmp_path):
    gate = Gate(tmp_path)
    (tmp_path / "job.yaml").write_text(json.dumps(job(f"echo before\n{gate.script}echo after\n")))
    follow = client.start("submit", "--poll", "job.yaml")
    follow.until(lambda: "\nbefore\n" in follow.output(), what="output of the running job")
    assert "\nafter\n" not in follow.output()
    gate.open()
    wait_for(lambda: not follow.running())
    assert follow.popen.returncode == 0, follow.output()
    out = follow.output()
    assert out.index("this is setup") < out.index("before") < out.index("after") < out.index("this is cleanup")
    assert out.count("before") == 1 and "is complete" in out


def test_results_and_states_are_those_of_the_phases(client, agent):
    job_id = client.submit(job("echo hello; exit 0\n", provision_data={"skip": True}))
    assert client.run("poll", job_id).returncode == 0
    assert client.status(job_id) == "complete"
    results = client.results(job_id)
    assert results["setup_status"] == results["test_status"] == results["cleanup_status"] == 0
    assert "provision_status" not in results
    assert without_banners(results["test_output"]) == "hello\n"
    assert without_banners(results["setup_output"]) == "this is setup\n"


def test_a_failing_test_phase_is_the_exit_status_of_following_it(client, agent):
    job_id = client.submit(job("echo broken; exit 7\n"))
    done = client.run("poll", job_id)
    assert done.returncode == 1 and "phase test ended with 7" in done.stderr
    results = client.results(job_id)
    assert results["test_status"] == 7 and results["cleanup_status"] == 0


def test_artifacts_come_back_byte_for_byte(server, client, agent, tmp_path):
    job_id = client.submit(job(
        "mkdir -p artifacts/deep\n"
        "head -c 3000000 /dev/urandom >artifacts/deep/random\n"
        "printf 'a\\0b\\377' >artifacts/odd\n"
        "ln -s odd artifacts/link\n"
        "sha256sum <artifacts/deep/random\n"))
    assert client.run("poll", job_id).returncode == 0
    told = re.search(r"^([0-9a-f]{64})  -$", client.results(job_id)["test_output"], re.M).group(1)
    client.good("artifacts", job_id)
    data = (tmp_path / "artifacts.tgz").read_bytes()
    assert data == server.get(f"/v1/result/{job_id}/artifact").body
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert hashlib.sha256(archive.extractfile("artifacts/deep/random").read()).hexdigest() == told
        assert archive.extractfile("artifacts/odd").read() == b"a\0b\xff"
        assert archive.getmember("artifacts/link").linkname == "odd"
    client.good("artifacts", job_id, "--filename", "other.tgz")
    assert sorted(path.name for path in tmp_path.glob("*t*.tgz*")) == ["artifacts.tgz", "other.tgz"]


def test_a_job_without_artifacts_leaves_no_file(client, agent, tmp_path):
    job_id = client.submit(job("true\n"))
    assert client.run("poll", job_id).returncode == 0
    assert client.run("artifacts", job_id).returncode == 5
    assert not list(tmp_path.glob("artifacts*"))


def test_attachments_reach_the_test_phase(client, agent, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "tool.sh").write_bytes(b"echo tool runs \"$1\"\n")
    (tmp_path / "files" / "tool.sh").chmod(0o755)
    (tmp_path / "files" / "blob").write_bytes(bytes(range(256)) * 4096)
    (tmp_path / "job.json").write_text(json.dumps({
        "job_queue": "e2e",
        "test_data": {
            "test_cmds": "sh attachments/test/bin/tool.sh here\nsha256sum <attachments/test/blob\n",
            "attachments": [{"local": "files/tool.sh", "agent": "bin/tool.sh"}, {"local": "files/blob"}],
        }}))
    job_id = client.good("submit", "--quiet", str(tmp_path / "job.json")).strip()
    assert client.run("poll", job_id).returncode == 0
    output = client.results(job_id)["test_output"]
    assert "tool runs here\n" in output
    assert hashlib.sha256(bytes(range(256)) * 4096).hexdigest() in output
    shown = json.loads(client.good("show", job_id))
    assert shown["test_data"]["attachments"] == [{"agent": "bin/tool.sh"}, {"agent": "blob"}]


def test_cancelling_a_running_job_kills_it_and_cleans_up(client, agent, tmp_path):
    gate = Gate(tmp_path)
    job_id = client.submit(job(f"echo started\n{gate.script}echo never\n"))
    gate.wait_until_reached()
    follow = client.start("poll", job_id)
    follow.until(lambda: "started" in follow.output())
    client.good("cancel", job_id)
    wait_for(lambda: not follow.running())
    assert follow.popen.returncode == 4
    # the agent is free again
    after = client.submit(job("echo next\n"))
    assert client.run("poll", after).returncode == 0
    assert client.status(job_id) == "cancelled"
    results = client.results(job_id)
    assert "never" not in results["test_output"] and "this is cleanup" in results["cleanup_output"]


def test_output_that_is_not_text_arrives_replaced_but_complete(client, agent):
    job_id = client.submit(job("printf 'a\\000b\\377c\\303\\251\\n'; printf '\\360\\237\\230\\200\\n'\n"))
    assert client.run("poll", job_id).returncode == 0
    assert without_banners(client.results(job_id)["test_output"]) == "a\0b\ufffdcé\n\U0001f600\n"


def test_a_hundred_megabytes_of_output_arrive_whole(server, client, tmp_path):
    lines = 1_000_000
    line = "%07d " + "x" * 96
    big = Agent(server, tmp_path, "big", job_queues=["big"], output_bytes=300 << 20).start()
    try:
        job_id = client.submit({**job(f"seq -f '%07.0f {'x' * 96}' 1 {lines}\n"), "job_queue": "big"})
        follow = client.start("poll", job_id)
        wait_for(lambda: not follow.running(), timeout_s=600, what="the end of the job")
    finally:
        big.stop()
    assert follow.popen.returncode == 0, follow.tail(3)
    text = follow.output()
    start = text.index(line % 1)
    expected = "".join(line % number + "\n" for number in range(1, lines + 1))
    assert len(expected) > 100 << 20
    # not compared by assert: it would spend minutes on the difference of texts that long
    if text[start:start + len(expected)] != expected:
        pytest.fail("the output is not what the job printed")


def test_jobs_submitted_together_run_in_order_of_priority(server, client, agent, tmp_path):
    client_id, secret = server.add_client("important", "contributor", max_priority={"*": 9})
    gate = Gate(tmp_path)
    first = client.submit(job(gate.script))
    gate.wait_until_reached()
    login = {"TESTFLINGER_CLIENT_ID": client_id, "TESTFLINGER_SECRET_KEY": secret}
    order = tmp_path / "order"
    waiting = [client.good("submit", "-q", "-", env=login, given=json.dumps(
        job(f"echo {priority} >>'{order}'\n", job_priority=priority))).strip() for priority in (0, 5, 9)]
    gate.open()
    for job_id in [first, *waiting]:
        assert client.run("poll", job_id).returncode == 0
    assert order.read_text().split() == ["9", "5", "0"]


@pytest.fixture
def own_server(cluster, template, tmp_path):
    """A server that this test may stop and start again, on the same port."""
    from server import Server
    database = cluster.clone(template)
    made = Server(cluster, database, tmp_path).start()
    yield made
    made.stop()
    cluster.drop(database)


def test_a_server_that_restarts_in_the_middle_loses_nothing(own_server, tmp_path):
    client = Client(own_server.url, tmp_path)
    agent = Agent(own_server, tmp_path).start()
    gate, second = Gate(tmp_path), Gate(tmp_path, "second")
    try:
        job_id = client.submit(job(f"echo one\n{gate.script}echo two\n{second.script}echo three\n"))
        follow = client.start("poll", job_id)
        follow.until(lambda: "one\n" in follow.output())
        gate.wait_until_reached()
        own_server.stop()
        gate.open()
        second.wait_until_reached()
        follow.until(lambda: "trying again" in follow.output(), what="the client notices")
        own_server.start()
        second.open()
        wait_for(lambda: not follow.running(), timeout_s=180, what="the end of the job")
        assert follow.popen.returncode == 0, follow.output()
        assert without_banners(client.results(job_id)["test_output"]) == "one\ntwo\nthree\n"
        assert [follow.output().count(word + "\n") for word in ("one", "two", "three")] == [1, 1, 1]
    finally:
        agent.stop()


def test_a_server_that_is_killed_in_the_middle_loses_nothing(own_server, tmp_path):
    client = Client(own_server.url, tmp_path)
    agent = Agent(own_server, tmp_path).start()
    gate = Gate(tmp_path)
    try:
        job_id = client.submit(job(f"echo one\n{gate.script}echo two\n"))
        gate.wait_until_reached()
        own_server.process.kill()
        gate.open()
        own_server.start()
        assert client.run("poll", job_id).returncode == 0
        assert without_banners(client.results(job_id)["test_output"]) == "one\ntwo\n"
    finally:
        agent.stop()


def test_replicas_share_the_work(server, cluster, database, tmp_path):
    from server import Server
    other = Server(cluster, database, tmp_path, "other").start()
    agents = [Agent(server, tmp_path, f"replica-agent-{number}", job_queues=["replicas"])
              for number in (1, 2)]
    clients = [Client(one.url, tmp_path) for one in (server, other)]
    try:
        jobs = [clients[number % 2].submit({**job("pwd\n"), "job_queue": "replicas"}) for number in range(8)]
        agents[0].start(server.url)
        agents[1].start(other.url)
        for number, job_id in enumerate(jobs):
            # asked of the server that did not take it
            asked = clients[(number + 1) % 2]
            assert asked.run("poll", job_id).returncode == 0
            assert asked.results(job_id)["test_output"].count("/run/" + job_id + "\n") == 1
    finally:
        for agent in agents:
            agent.stop()
        other.stop(number=signal.SIGTERM)
