# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of an agent, asked for as Prometheus does."""
import http.client
import re
import shutil
import subprocess
import urllib.request
import uuid

import pytest

from agent import processes_with
from ports import free_port
from programs import ROOT, Process
from wait import wait_for

PHASES = ("setup", "provision", "firmware_update", "test", "allocate", "reserve", "cleanup")


@pytest.fixture
def port():
    return free_port()


def text_of(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as reply:
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return reply.read().decode()


def samples(port):
    lines = [line for line in text_of(port).splitlines() if line and not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def serving(fake, agent, port):
    agent.process.until(lambda: fake.seen("GET", "/v1/job"))
    return samples(port)


def fake_ssh(tmp_path, script):
    """A program of that name, first in $PATH."""
    path = tmp_path / "bin" / "ssh"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:/usr/bin:/bin"}


DEVICE_INFO = """echo '{"device_info": {"device_ip": "192.0.2.7"}}' >device-info.json"""
WITH_PORT = """echo '{"device_info": {"device_ip": "127.0.0.1", "ssh_port": 2022}}' >device-info.json"""


# --- what is counted ------------------------------------------------------------------

def test_jobs_and_failures_are_counted(fake, make_agent, port):
    agent = make_agent(metrics_port=port, identifier="rpi4", setup_command="true",
                       test_command="exit 3", cleanup_command="true")
    first = serving(fake, agent, port)
    assert first['jobs_total{agent_id="agent-1"}'] == 0
    assert all(first[f'failures_total{{agent_id="agent-1",test_phase="{phase}"}}'] == 0
               for phase in PHASES)
    jobs = [fake.add_job(test_data={"a": 1}) for _ in range(2)]
    for job in jobs:
        fake.wait_complete(job)
    found = samples(port)
    assert found['jobs_total{agent_id="agent-1"}'] == 2
    assert found['failures_total{agent_id="agent-1",test_phase="test"}'] == 2
    assert found['failures_total{agent_id="agent-1",test_phase="setup"}'] == 0
    assert found['recovery_failures_total{agent_id="agent-1"}'] == 0
    for phase in ("setup", "test", "cleanup"):
        labels = f'agent_id="agent-1",test_phase="{phase}",identifier="rpi4",release="unknown"'
        assert found[f"phase_duration_seconds_count{{{labels}}}"] == 2
        assert found[f'phase_duration_seconds_bucket{{{labels},le="60"}}'] == 2


def test_a_failed_recovery_is_counted_and_the_agent_is_out_of_service(fake, make_agent, port):
    make_agent(metrics_port=port, provision_command="exit 46")
    job = fake.add_job(provision_data={"a": 1})
    fake.wait_complete(job)
    wait_for(lambda: samples(port)['testflinger_agent_out_of_service{agent_id="agent-1"}'] == 1)
    found = samples(port)
    assert found['recovery_failures_total{agent_id="agent-1"}'] == 1
    assert found['failures_total{agent_id="agent-1",test_phase="provision"}'] == 1

    def back():
        fake.agent["state"] = "waiting"  # again and again: the agent may be about to post
        return samples(port)['testflinger_agent_out_of_service{agent_id="agent-1"}'] == 0

    wait_for(back)


def test_a_cancelled_phase_has_not_failed(fake, make_agent, port):
    make_agent(metrics_port=port, test_command="echo begun; sleep 1000")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    assert samples(port)['testflinger_agent_job_running{agent_id="agent-1"}'] == 1
    fake.cancel(job)
    fake.wait_complete(job)
    found = samples(port)
    assert found['failures_total{agent_id="agent-1",test_phase="test"}'] == 0
    wait_for(lambda: samples(port)['testflinger_agent_job_running{agent_id="agent-1"}'] == 0)


def test_outcomes_that_wait_and_a_server_that_is_silent_are_seen(fake, make_agent, port, tmp_path):
    gate = tmp_path / "gate"
    make_agent(metrics_port=port, retry_pause_ms=1,
               test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    fake.stop()
    gate.touch()
    wait_for(lambda: samples(port)['testflinger_agent_outcomes_waiting{agent_id="agent-1"}'] == 1)
    silence = 'testflinger_agent_server_silence_seconds{agent_id="agent-1"}'
    wait_for(lambda: samples(port)[silence] >= 2)
    fake.start()
    fake.wait_complete(job)
    wait_for(lambda: samples(port)['testflinger_agent_outcomes_waiting{agent_id="agent-1"}'] == 0)
    wait_for(lambda: samples(port)[silence] < 2)


# --- the release ----------------------------------------------------------------------

def test_the_release_is_read_from_the_device_after_provision(fake, make_agent, port, tmp_path):
    env = fake_ssh(tmp_path, f'echo "$@" >>{tmp_path}/args\n'
                             'echo VERSION=\\"22.04.5 LTS\\"\necho VERSION_ID=22.04\n')
    make_agent(metrics_port=port, env=env, provision_command=DEVICE_INFO,
               test_command=f"until grep -q 192.0.2.7 {tmp_path}/args; do sleep 0.05; done; sleep 0.3")
    job = fake.add_job(provision_data={"a": 1}, test_data={"test_username": "me"})
    fake.wait_complete(job)
    found = samples(port)
    for phase in ("provision", "test"):
        assert found['phase_duration_seconds_count{agent_id="agent-1",test_phase="%s",identifier="",'
                     'release="22.04.5"}' % phase] == 1
    arguments = (tmp_path / "args").read_text().split()
    assert arguments[-6:] == ["-p", "22", "--", "me@192.0.2.7", "cat", "/etc/os-release"]
    assert "BatchMode=yes" in arguments


def test_the_release_of_a_machine_behind_a_port_is_read(fake, make_agent, port, tmp_path):
    env = fake_ssh(tmp_path, f'echo "$@" >>{tmp_path}/args\necho ID=ubuntu-core; echo VERSION_ID=22\n')
    make_agent(metrics_port=port, env=env, provision_command=WITH_PORT)
    fake.wait_complete(fake.add_job(provision_data={"a": 1}))
    wait_for(lambda: samples(port).get('phase_duration_seconds_count{agent_id="agent-1",test_phase='
                                       '"provision",identifier="",release="Core 22"}') == 1)
    assert "-p 2022 -- ubuntu@127.0.0.1" in (tmp_path / "args").read_text()


def test_a_device_that_does_not_answer_delays_nothing(fake, make_agent, port, tmp_path):
    mark = f"sleep 7{uuid.uuid4().int % 10**8}"
    env = fake_ssh(tmp_path, f"echo $$ >{tmp_path}/pid\nexec {mark}\n")
    make_agent(metrics_port=port, env=env, provision_command=DEVICE_INFO,
               test_command=f"until [ -s {tmp_path}/pid ]; do sleep 0.05; done",
               cleanup_command="true")
    job = fake.add_job(provision_data={"a": 1}, test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"provision": 0, "test": 0, "cleanup": 0}
    assert processes_with(mark), "the job ended before ssh did"
    wait_for(lambda: samples(port).get('phase_duration_seconds_count{agent_id="agent-1",test_phase='
                                       '"provision",identifier="",release="unknown"}') == 1)
    wait_for(lambda: not processes_with(mark), what="ssh is ended when its time is over")


@pytest.mark.parametrize("provision", ["true", "exit 1",
                                       """echo '{"device_ip": "-oX=y"}' >device-info.json"""])
def test_without_a_good_provision_and_an_address_nobody_is_asked(fake, make_agent, port, tmp_path,
                                                                  provision):
    env = fake_ssh(tmp_path, f"touch {tmp_path}/asked\n")
    make_agent(metrics_port=port, env=env, provision_command=provision)
    fake.wait_complete(fake.add_job(provision_data={"a": 1}))
    assert samples(port)['phase_duration_seconds_count{agent_id="agent-1",test_phase="provision",'
                         'identifier="",release="unknown"}'] == 1
    assert not (tmp_path / "asked").exists()


# --- the port -------------------------------------------------------------------------

def test_the_command_line_wins_over_the_file(fake, make_agent, port):
    agent = make_agent(start=False, metrics_port=1)
    command = agent.command() + ["-p", str(port)]
    agent.command = lambda: command
    agent.start()
    assert serving(fake, agent, port)
    agent.stop()
    command[-2:] = ["--metrics_port", "0"]
    asked = len(fake.seen("GET", "/v1/job"))
    agent.start()
    agent.process.until(lambda: len(fake.seen("GET", "/v1/job")) > asked)
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", port, timeout=10).connect()


def test_a_port_that_is_taken_ends_the_agent_with_its_reason(fake, make_agent, port):
    first = make_agent(metrics_port=port)
    serving(fake, first, port)
    second = make_agent(start=False, name="agent-2", metrics_port=port)
    second.start()
    wait_for(lambda: not second.process.running())
    assert second.process.popen.returncode == 1
    assert f'could not serve metrics on "*" port {port}: Address already in use' \
        in second.process.output()


@pytest.mark.parametrize("value", ["x", "-1", "65536", ""])
def test_a_port_that_is_none_is_refused(fake, make_agent, value):
    agent = make_agent(start=False)
    done = subprocess.run([*agent.command(), "-p", value], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 2 and "metrics_port" in done.stderr


def test_other_addresses_are_not_served_if_one_is_named(fake, make_agent, port):
    agent = make_agent(metrics_port=port, metrics_address="127.0.0.1")
    assert serving(fake, agent, port)
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.2", port, timeout=10).connect()


def test_other_requests_are_answered_and_refused(fake, make_agent, port):
    serving(fake, make_agent(metrics_port=port), port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for method, path, body, status in (("GET", "/", None, 200), ("HEAD", "/metrics", None, 200),
                                       ("GET", "/metrics?x=1", None, 200), ("GET", "/x", None, 404),
                                       ("POST", "/metrics", b"x" * 100000, 405),
                                       ("GET", "/metrics", None, 200)):
        connection.request(method, path, body)
        reply = connection.getresponse()
        assert (reply.status, method, path) == (status, method, path)
        reply.read()


def test_clients_that_say_nothing_do_not_keep_the_agent_from_its_jobs(fake, make_agent, port):
    agent = make_agent(metrics_port=port, test_command="true")
    serving(fake, agent, port)
    silent = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(30)]
    for connection in silent:
        connection.connect()
        connection.sock.sendall(b"GET /met")
    fake.wait_complete(fake.add_job(test_data={"a": 1}))
    for connection in silent:
        connection.close()
    wait_for(lambda: samples(port)['jobs_total{agent_id="agent-1"}'] == 1)


# --- Prometheus itself ----------------------------------------------------------------

@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_has_nothing_to_say(fake, make_agent, port):
    agent = make_agent(metrics_port=port, name='a "b"\\c', identifier="é\n", setup_command="true")
    agent.process.until(lambda: fake.seen("GET", "/v1/job"))
    fake.wait_complete(fake.add_job())
    done = subprocess.run(["promtool", "check", "metrics"], input=text_of(port), text=True,
                          capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_the_alarms_among_the_examples_are_about_series_that_exist(fake, make_agent, port):
    rules = ROOT / "examples" / "agent-alerts.yml"
    done = subprocess.run(["promtool", "check", "rules", rules], text=True, capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    serving(fake, make_agent(metrics_port=port), port)
    series = set(re.findall(r"^# TYPE (\S+)", text_of(port), re.M)) | {"up"}
    text = "".join(re.findall(r"expr:(.*?)(?:annotations|for):", rules.read_text(), re.S))
    used = set(re.findall(r"\b(?:up|testflinger_\w+|\w+_total)\b", text))
    assert len(used) > 5 and used <= series


@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed")
def test_prometheus_takes_the_metrics(fake, make_agent, port, tmp_path):
    serving(fake, make_agent(metrics_port=port, setup_command="true"), port)
    fake.wait_complete(fake.add_job())
    own = free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n"
                      f"- {{job_name: agents, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n")
    prometheus = Process(["prometheus", f"--config.file={config}",
                          f"--storage.tsdb.path={tmp_path}/data",
                          f"--web.listen-address=127.0.0.1:{own}"], tmp_path / "prometheus.log")

    def value_of(query):
        url = f"http://127.0.0.1:{own}/api/v1/query?query={urllib.request.quote(query)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as reply:
                return re.findall(r'"value":\[[^,]*,"([^"]*)"\]', reply.read().decode())
        except OSError:
            return []

    try:
        prometheus.until(lambda: value_of("jobs_total") == ["1"])
        assert value_of("histogram_quantile(0.5, phase_duration_seconds_bucket)") == ["30"]
        assert value_of("count(scrape_series_added)") == ["1"]
    finally:
        prometheus.stop()
