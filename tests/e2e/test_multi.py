# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of several devices: a real server, an agent of type multi and three agents with devices, all on
one host, each driven by the real device connector."""
import json

import pytest

from conftest import Agent
from connector import as_command
from wait import wait_for

DEVICES = {"multi-a": "10.0.0.1", "multi-b": "10.0.0.2", "multi-c": "10.0.0.3"}
PHASES = {"provision": "provision", "test": "runtest", "allocate": "allocate", "reserve": "reserve",
          "cleanup": "cleanup"}


def connected(server, directory, name, kind, queue, **config):
    """An agent whose phases are the device connector's stages."""
    path = directory / f"{name}.yaml"
    path.write_text(json.dumps({"agent_name": name, **config}))
    commands = {f"{phase}_command": as_command(kind, stage, path) for phase, stage in PHASES.items()}
    return Agent(server, directory, name, job_queues=[queue], cancel_interval=1, kill_grace=5, **commands)


@pytest.fixture(scope="module")
def agents(server, tmp_path_factory):
    """The agents of the lab.  A device fails to be provisioned if its job says so."""
    directory = tmp_path_factory.mktemp("multi")
    made = [connected(server, directory, "agent-multi", "multi", "multi", testflinger_server=server.url,
                      allocation_step=0.1)]
    made += [connected(server, directory, f"agent-{queue}", "script", queue, device_ip=device_ip,
                       provision_command='[ "$TESTFLINGER_PROVISION_DISTRO" != broken ]')
             for queue, device_ip in DEVICES.items()]
    for agent in made:
        agent.start()
    yield made
    for agent in made:
        agent.stop()


def multi_job(*children, **more):
    return {"job_queue": "multi", "provision_data": {"jobs": list(children)}, **more}


def child(queue, distro="well"):
    return {"job_queue": queue, "provision_data": {"distro": distro}}


def children_of(server, parent):
    """{queue: job id} of the jobs that a job has made so far."""
    found = {}
    for queue in DEVICES:
        jobs = server.get(f"/v1/queues/{queue}/jobs")
        for listed in jobs.json() if jobs.status == 200 else ():
            if server.get(f"/v1/job/{listed['job_id']}").json().get("parent_job_id") == parent:
                found[queue] = listed["job_id"]
    return found


def wait_states(server, jobs, *states):
    """Until every job is in one of the states; gives the states."""
    def look():
        found = [server.get(f"/v1/result/{job_id}").json()["job_state"] for job_id in jobs]
        return found if all(state in states for state in found) else None
    return wait_for(look, 60, f"{len(jobs)} jobs in {states}")


def wait_free(server, agents):
    """No agent has a job any more: nothing was left behind by a test."""
    def look():
        return all(server.get(f"/v1/agents/data/{agent.name}").json()["state"] == "waiting"
                   for agent in agents)
    wait_for(look, 60, "all agents are free")


def test_a_job_gets_all_its_devices_and_gives_them_back(server, client, agents):
    job_id = client.submit(multi_job(*map(child, DEVICES), test_data={
        "test_cmds": "echo devices: $DEVICE_IP_1 $DEVICE_IP_2 $DEVICE_IP_3\ncat job_list.json\n"}))
    done = client.run("poll", job_id)
    assert done.returncode == 0, done.stdout + done.stderr
    results = client.results(job_id)
    assert "devices: 10.0.0.1 10.0.0.2 10.0.0.3\n" in results["test_output"]
    children = children_of(server, job_id)
    assert [entry["job_id"] for entry in json.loads(results["test_output"].split("\n")[-1])] == \
        [children[queue] for queue in DEVICES]
    wait_states(server, children.values(), "complete", "cancelled")
    wait_free(server, agents)
    for queue, device_ip in DEVICES.items():
        result = client.results(children[queue])
        assert result["provision_status"] == result["allocate_status"] == result["cleanup_status"] == 0
        assert result["device_info"]["device_ip"] == device_ip


def test_a_device_that_fails_ends_the_job_and_frees_the_others(server, client, agents):
    job_id = client.submit(multi_job(child("multi-a"), child("multi-b", "broken"), child("multi-c"),
                                     test_data={"test_cmds": "echo never"}))
    done = client.run("poll", job_id)
    assert done.returncode == 1 and "phase provision ended with 1" in done.stderr
    results = client.results(job_id)
    children = children_of(server, job_id)
    assert f"job {children['multi-b']} ended (complete)" in results["provision_output"]
    assert "test_status" not in results and results["cleanup_status"] == 0
    wait_states(server, children.values(), "complete", "cancelled")
    assert client.results(children["multi-b"])["provision_status"] == 1
    wait_free(server, agents)


def test_cancelling_while_devices_are_waited_for_frees_them(server, client, agents):
    job_id = client.submit(multi_job(child("multi-a"), {"job_queue": "multi-of-nobody"}))
    wait_for(lambda: "multi-a" in children_of(server, job_id))
    first = children_of(server, job_id)["multi-a"]
    wait_states(server, [first], "allocated")
    client.good("cancel", job_id)
    wait_states(server, [first], "cancelled")
    wait_free(server, agents)
    assert client.status(job_id) == "cancelled"
    assert server.get("/v1/queues/multi-of-nobody/jobs").json()[0]["job_state"] == "cancelled"


def test_cancelling_while_the_test_runs_frees_the_devices(server, client, agents, tmp_path):
    job_id = client.submit(multi_job(child("multi-a"), child("multi-b"), test_data={
        "test_cmds": f"touch {tmp_path}/runs; while :; do sleep 0.1; done"}))
    wait_for((tmp_path / "runs").exists)
    children = children_of(server, job_id)
    assert len(children) == 2
    assert wait_states(server, children.values(), "allocated")
    client.good("cancel", job_id)
    # by themselves when they see that the job has ended, or by its cleanup
    wait_states(server, children.values(), "complete", "cancelled")
    wait_free(server, agents)
    assert client.results(job_id)["cleanup_status"] == 0


def test_a_job_that_is_refused_at_submission_is_told(server, client, agents):
    job_id = client.submit(multi_job(child("multi-a"), {"job_queue": "multi-b", "no such field": 1}))
    assert client.run("poll", job_id).returncode == 1
    results = client.results(job_id)
    assert "could not submit job 2 of 2" in results["provision_output"]
    assert "no such field" in results["provision_output"]
    wait_states(server, children_of(server, job_id).values(), "cancelled")
    wait_free(server, agents)


def test_the_agent_of_several_devices_reserves_all(server, client, agents):
    job_id = client.submit(multi_job(child("multi-a"), child("multi-b"), reserve_data={"timeout": 1}))
    assert client.run("poll", job_id).returncode == 0
    out = client.results(job_id)["reserve_output"]
    assert "TESTFLINGER SYSTEM RESERVED" in out and "ubuntu@10.0.0.1" in out and "ubuntu@10.0.0.2" in out
    wait_free(server, agents)
