# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of several devices, against a server that does what the test says.  tests/e2e/test_multi.py
has real servers and agents."""
import json
import os
import signal

import pytest

from connector import JOB_ID, stopped
from jobserver import JobServer
from ports import free_port
from wait import wait_for


@pytest.fixture
def fake():
    server = JobServer().start()
    yield server
    server.stop()


@pytest.fixture
def multi(make, fake):
    connector = make("multi", testflinger_server=fake.url, allocation_step=0.05, server_pause=0.01)
    connector.job["provision_data"] = {"jobs": [{"job_queue": f"q{number}", "name": f"n{number}"}
                                                for number in (1, 2, 3)]}
    fake.parent(JOB_ID)
    return connector


def ended(process, status):
    assert process.wait() == status, process.output()


def test_devices_are_asked_for_waited_for_and_listed(multi, fake):
    process = multi.start("provision")
    children = fake.wait_children(3)
    for number, job in enumerate(children, 1):
        assert job.definition.pop("job_id")
        assert job.definition == {"job_queue": f"q{number}", "name": f"n{number}",
                                  "parent_job_id": JOB_ID, "allocate_data": {"allocate": True}}
    ids = [job_id for job_id in fake.jobs if job_id != JOB_ID]
    fake.allocate(children[2], "10.0.0.3")
    children[0].state = "provision"
    fake.allocate(children[1], "10.0.0.2", ssh_port=2222)
    wait_for(lambda: fake.looks(ids[0]) > 2)
    assert process.running()
    fake.allocate(children[0], "10.0.0.1")
    ended(process, 0)
    assert multi.json("job_list.json") == [
        {"job_id": ids[0], "device_info": {"device_ip": "10.0.0.1"}},
        {"job_id": ids[1], "device_info": {"device_ip": "10.0.0.2", "ssh_port": 2222}},
        {"job_id": ids[2], "device_info": {"device_ip": "10.0.0.3"}}]
    assert multi.json("device-info.json")["device_info"]["agent_name"] == "agent-1"


@pytest.mark.parametrize("state", ["complete", "completed", "cancelled"])
def test_all_are_cancelled_when_one_ends(multi, fake, state):
    process = multi.start("provision")
    children = fake.wait_children(3)
    fake.allocate(children[0], "10.0.0.1")
    children[1].state = state
    ended(process, 1)
    name, message, _ = multi.failure("provision")
    assert name == "ProvisioningError" and f"({state})" in message
    assert [job.state for job in children] == ["cancelled", state, "cancelled"]


def test_one_that_ends_after_it_had_its_device_is_noticed(multi, fake):
    process = multi.start("provision")
    children = fake.wait_children(3)
    fake.allocate(children[0], "10.0.0.1")
    process.until(lambda: "has its device" in process.output())
    children[0].state = "complete"
    ended(process, 1)


def test_all_are_cancelled_when_the_job_is_cancelled_at_the_server(multi, fake):
    process = multi.start("provision")
    children = fake.wait_children(3)
    fake.jobs[JOB_ID].state = "cancelled"
    ended(process, 1)
    assert "the job ended (cancelled)" in multi.failure("provision")[1]
    assert {job.state for job in children} == {"cancelled"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_are_cancelled_by_a_signal(multi, fake, number):
    multi.config["allocation_step"] = 3600
    process = multi.start("provision")
    children = fake.wait_children(3)
    wait_for(lambda: fake.looks(children[2].definition["job_id"]))
    assert stopped(process, number) == 128 + number
    assert {job.state for job in children} == {"cancelled"}


def test_a_signal_between_two_submissions_leaves_none(multi, fake):
    fake.refused["q2"] = (503, "away")
    multi.config["server_pause"] = 600
    process = multi.start("provision")
    wait_for(lambda: len(fake.seen("POST", "/v1/job")) == 2)
    assert stopped(process) == 128 + 15
    assert [job.state for job in fake.children()] == ["cancelled"]


def test_devices_that_do_not_come_in_time_are_given_up(multi, fake):
    multi.job["allocation_timeout"] = 1
    process = multi.start("provision")
    children = fake.wait_children(3)
    fake.allocate(children[0], "10.0.0.1")
    ended(process, 1)
    assert "2 of 3 devices were not allocated within 1 seconds" in multi.failure("provision")[1]
    assert {job.state for job in children} == {"cancelled"}


def test_a_job_that_the_server_refuses_ends_all(multi, fake):
    fake.refused["q3"] = (422, "no such queue")
    assert multi.run("provision").returncode == 1
    _, message, cause = multi.failure("provision")
    assert message == "could not submit job 3 of 3" and "q3" in cause and "no such queue" in cause
    assert [job.state for job in fake.children()] == ["cancelled"] * 2
    assert len(fake.seen("POST", "/v1/job")) == 3


def test_a_submission_is_tried_again_and_makes_one_job(multi, fake):
    fake.overrule("POST", "/v1/job", 503, times=2)
    fake.lose_replies = 2
    process = multi.start("provision")
    children = fake.wait_children(3)
    for number, job in enumerate(children):
        fake.allocate(job, f"10.0.0.{number}")
    ended(process, 0)
    # what the HTTP library sends again by itself has the same id too
    assert len({request.json()["job_id"] for request in fake.seen("POST", "/v1/job")}) == 3
    # and what has arrived is not sent again
    assert [request.status for request in fake.seen("GET", "/v1/job/[^/]+")].count(200) == 1


def test_a_server_that_stays_away_ends_it_and_no_job_is_forgotten(multi, fake):
    fake.overrule("POST", "/v1/job/.*/action", 503)
    multi.config["allocation_step"] = 0.01
    process = multi.start("provision")
    ids = [job.definition["job_id"] for job in fake.wait_children(3)]
    fake.jobs[ids[0]].state = "complete"
    ended(process, 1)
    assert "could not be cancelled" in process.output()
    assert [child["job_id"] for child in multi.json("job_list.json")] == ids
    # cleanup finds them, and can tell whether it worked
    assert multi.run("cleanup").returncode == 1
    assert multi.failure("cleanup")[1] == "could not cancel every job of the devices"
    fake.rules.clear()
    multi.good("cleanup")
    assert [fake.jobs[child].state for child in ids] == ["complete", "cancelled", "cancelled"]


def test_a_server_that_is_away_while_devices_are_waited_for_is_borne(multi, fake):
    process = multi.start("provision")
    children = fake.wait_children(3)
    fake.stop()
    process.until(lambda: "does not answer" in process.output())
    fake.start()
    for job in children:
        fake.allocate(job, "10.0.0.1")
    ended(process, 0)


def test_the_list_is_on_disk_before_the_server_knows_and_survives_a_crash(multi, fake):
    process = multi.start("provision")
    children = fake.wait_children(3)
    process.kill()
    assert [child["job_id"] for child in multi.json("job_list.json")] == \
        [job.definition["job_id"] for job in children]
    multi.good("cleanup")
    assert {job.state for job in children} == {"cancelled"}


def test_cleanup_without_jobs_needs_no_server(multi, fake):
    fake.stop()
    assert multi.good("cleanup") == ""


def test_cleanup_of_jobs_that_have_ended_is_fine(multi, fake):
    process = multi.start("provision")
    children = fake.wait_children(3)
    for job in children:
        fake.allocate(job, "10.0.0.1")
    ended(process, 0)
    children[0].state = "complete"
    del fake.jobs[children[1].definition["job_id"]]
    multi.good("cleanup")
    assert children[2].state == "cancelled"


def test_a_pipe_in_place_of_the_list_is_not_waited_for(multi):
    os.mkfifo(multi.dir / "job_list.json")
    assert multi.run("cleanup").returncode == 1
    assert "not a file" in multi.failure("cleanup")[2]


@pytest.mark.parametrize("text", ["{}", "[", '[{"job_id": "../action"}]', '[5]', '[null]'])
def test_a_list_that_is_none_is_told(multi, text):
    (multi.dir / "job_list.json").write_text(text)
    assert multi.run("cleanup").returncode == 1
    assert multi.failure("cleanup")[0] == "CleanupError"


@pytest.mark.parametrize("data", [
    None, {}, {"jobs": []}, {"jobs": "q1"}, {"jobs": ["q1"]}, {"jobs": [None]},
    {"jobs": [{"job_queue": "q", "test_data": {"attachments": [{"agent": "a"}]}}]},
    {"jobs": [{"job_queue": "q"}] * 101}])
def test_jobs_that_cannot_be_are_the_job_s_fault(multi, fake, data):
    multi.job["provision_data"] = data
    assert multi.run("provision").returncode == 1
    assert multi.failure("provision")[0] == "JobError"
    assert not fake.children()


def write_list(multi, *infos):
    (multi.dir / "job_list.json").write_text(json.dumps(
        [{"job_id": f"00000000-0000-4000-8000-00000000001{number}", "device_info": info}
         for number, info in enumerate(infos)]))


def test_tests_know_all_devices(multi):
    write_list(multi, {"device_ip": "10.0.0.1"}, {"device_ip": "10.0.0.2"}, None)
    out = multi.good("runtest", test_data={
        "test_cmds": 'echo "$DEVICE_IP_1 $DEVICE_IP_2 [${DEVICE_IP_3-unset}] ${DEVICE_IP_4-unset}"; exit 0'})
    assert out == "10.0.0.1 10.0.0.2 [] unset\n"
    assert multi.run("runtest", test_data={"test_cmds": "exit 4"}).returncode == 4


def test_a_reservation_is_of_all_devices(multi, sshd):
    write_list(multi, {"device_ip": "10.0.0.1"}, {"device_ip": "127.0.0.1", "ssh_port": sshd.port})
    out = multi.good("reserve", reserve_data={"timeout": 0}, test_data=sshd.test_data)
    assert "TESTFLINGER SYSTEM RESERVED" in out
    assert f"{sshd.user}@10.0.0.1\n" in out and f"{sshd.user}@127.0.0.1 (ssh -p {sshd.port})\n" in out


def test_keys_are_added_to_every_device(multi, sshd, monkeypatch, tmp_path):
    before = sshd.keys.read_text()
    multi.config.update(ssh_identity=str(sshd.identity), ssh_authorized_keys=["ssh-ed25519 AAAA of-all"])
    write_list(multi, *[{"device_ip": host, "ssh_port": sshd.port} for host in ("127.0.0.1", "localhost")])
    try:
        multi.good("reserve", reserve_data={"timeout": 0}, test_data=sshd.test_data)
        assert sshd.keys.read_text().count("of-all") == 2
    finally:
        sshd.keys.write_text(before)


def test_there_is_nothing_to_reserve_without_devices(multi):
    assert multi.run("reserve").returncode == 1
    assert multi.failure("reserve")[0] == "ReservationError"


def test_a_configuration_without_a_server_is_the_lab_s_fault(multi):
    del multi.config["testflinger_server"]
    assert multi.run("provision").returncode == 1
    assert multi.failure("provision")[:2] == ("ConfigurationError",
                                              "the configuration has no testflinger_server")


def test_a_server_that_is_not_there_ends_it_after_all_tries(multi):
    multi.config.update(testflinger_server=f"127.0.0.1:{free_port()}", server_pause=0.001)
    assert multi.run("provision").returncode == 1
    assert multi.failure("provision")[1] == "could not submit job 1 of 3"


# --- credentials -------------------------------------------------------------------------

@pytest.fixture
def closed(make, tmp_path):
    """A server that wants a login, and a job there."""
    fake = JobServer(("lab", "a secret")).start()
    fake.parent(JOB_ID)
    (tmp_path / "secret").write_text("a secret\n")
    (tmp_path / "token").write_text(json.dumps({"refresh_token": "refresh-token-of-the-tests"}))
    connector = make("multi", testflinger_server=fake.url + "/", allocation_step=0.05, server_pause=0.01)
    connector.job["provision_data"] = {"jobs": [{"job_queue": "q1"}]}
    yield connector, fake, tmp_path
    fake.stop()


def allocate_after_a_new_login(connector, fake):
    process = connector.start("provision")
    child, = fake.wait_children(1)
    wait_for(lambda: fake.looks(JOB_ID) > 1)
    fake.forget_tokens()
    fake.allocate(child, "10.0.0.1")
    ended(process, 0)


def test_a_client_of_the_server_logs_in_and_again_when_its_token_has_expired(closed):
    connector, fake, directory = closed
    connector.config.update(server_client_id="lab", server_secret_file=str(directory / "secret"))
    allocate_after_a_new_login(connector, fake)
    assert len(fake.seen("POST", "/v1/oauth2/token")) == 2
    fake.overrule("POST", "/v1/oauth2/token", 503, times=1)
    connector.good("cleanup")
    assert fake.children()[0].state == "cancelled"


def test_a_refresh_token_logs_in_too(closed):
    connector, fake, directory = closed
    connector.config.update(server_token_file=str(directory / "token"))
    allocate_after_a_new_login(connector, fake)
    assert len(fake.seen("POST", "/v1/oauth2/refresh")) == 2


def test_wrong_credentials_are_told_and_not_tried_again(closed):
    connector, fake, directory = closed
    (directory / "secret").write_text("another\n")
    connector.config.update(server_client_id="lab", server_secret_file=str(directory / "secret"))
    assert connector.run("provision").returncode == 1
    assert "could not log in" in connector.failure("provision")[2]
    assert "another" not in connector.read("device-connector-error.json")


@pytest.mark.parametrize("config", [{"server_client_id": "lab"}, {"server_token_file": "/no/such"},
                                    {"server_client_id": "lab", "server_secret_file": "/no/such"},
                                    {"server_token_file": "/dev/null"}])
def test_credentials_that_are_not_there_are_the_lab_s_fault(closed, config):
    connector, _, _ = closed
    connector.config.update(config)
    assert connector.run("provision").returncode == 1
    assert connector.failure("provision")[0] == "ConfigurationError"


def test_without_credentials_a_closed_server_refuses(closed):
    connector, _, _ = closed
    assert connector.run("provision").returncode == 1
    assert "401" in connector.failure("provision")[2]


def test_cleanup_waits_for_a_server_that_is_away_once_and_not_for_every_job(multi, fake):
    write_list(multi, *[None] * 5)
    fake.overrule("POST", "/v1/job/.*/action", 503)
    assert multi.run("cleanup").returncode == 1
    asked = [request.path for request in fake.seen("POST", "/v1/job/.*/action")]
    assert len(asked) == 5 + 4 and len(set(asked)) == 5
