# SPDX-License-Identifier: GPL-3.0-or-later
"""Real virtual machines, in software emulation: built from Debian packages, booted by the connector,
driven by the real agent for jobs of the real server."""
import http.server
import json
import os
import signal
import subprocess
import threading

import pytest

from agent import processes_with
from conftest import Agent, Client
from programs import program
from sshd import make_key
from vmimage import need_image
from wait import wait_for

pytestmark = pytest.mark.long

QUEUE = "vm"
STAGES = {"provision": "provision", "firmware_update": "firmware_update", "test": "runtest",
          "allocate": "allocate", "reserve": "reserve", "cleanup": "cleanup"}
SSH = ("ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
       '-i "$DEVICE_SSH_IDENTITY" -p "$DEVICE_SSH_PORT" "$DEVICE_SSH_USER@$DEVICE_IP" ')


class Lab:
    """An agent whose device is a virtual machine, and the server of its images."""

    def __init__(self, server, directory, name, image, url):
        self.url = url
        self.state = directory / "state"
        self.vm = self.state / "qemu-vm"
        self.key = make_key(directory / "lab_key")
        self.config_file = directory / "qemu.yaml"
        self.config = {**image.config, "agent_name": name, "accel": "tcg", "state_dir": str(self.state),
                       "boot_timeout": 120,
                       "ssh_authorized_keys": [(directory / "lab_key.pub").read_text().strip()]}
        self.configure()
        commands = {f"{phase}_command": f"{program('testflinger-device-connector')} qemu {stage} "
                                        f"-c {self.config_file} testflinger.json"
                    for phase, stage in STAGES.items()}
        self.agent = Agent(server, directory, name, job_queues=[QUEUE], cancel_interval=1, kill_grace=5,
                           setup_command="", **commands)

    def configure(self, **more):
        # JSON is YAML
        self.config_file.write_text(json.dumps({**self.config, **more}))

    def job(self, script, **more):
        return {"job_queue": QUEUE, "provision_data": {"url": f"{self.url}/disk.qcow2"},
                "test_data": {"test_cmds": script}, **more}

    def machines(self):
        return processes_with(f"-pidfile {self.vm}/pid")

    def gone(self):
        return not self.machines() and not self.vm.exists()


@pytest.fixture(scope="module")
def image():
    return need_image()


@pytest.fixture(scope="module")
def web(image):
    """The address that the image is served at."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(image.dir))

        def log_message(self, *_arguments):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def lab(server, tmp_path, image, web, request):
    # the server remembers agents: each test has one of its own
    made = Lab(server, tmp_path, request.node.name[:60], image, web)
    made.agent.start()
    yield made
    made.agent.stop()
    for pid in made.machines():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def client(server, tmp_path):
    return Client(server.url, tmp_path)


def in_background(client, job):
    job_id = client.submit(job)
    return job_id, client.start("poll", job_id)


def test_a_job_is_provisioned_tested_reserved_and_leaves_nothing(lab, client):
    job_id, follow = in_background(client, lab.job(
        f"{SSH} 'uname -r; echo on the console >/dev/ttyS0'\n", reserve_data={"ssh_keys": [], "timeout": "2"}))
    wait_for(lambda: not follow.running(), timeout_s=300, what="the end of the job")
    results = client.results(job_id)
    for phase in ("provision", "test", "reserve", "cleanup"):
        assert results[f"{phase}_status"] == 0, results[f"{phase}_output"]
    assert "answers over ssh" in results["provision_output"]
    assert "cloud-amd64\n" in results["test_output"]
    assert "*** TESTFLINGER SYSTEM RESERVED ***" in results["reserve_output"]
    assert "destroyed" in results["cleanup_output"]
    assert "the test machine is up" in results["provision_serial"]
    assert "on the console" in results["test_serial"]
    port = results["device_info"]["ssh_port"]
    assert results["device_info"]["device_ip"] == "127.0.0.1"
    assert f"ssh -p {port}" in results["reserve_output"]
    assert lab.gone()


def test_a_reserved_machine_lets_the_lab_in_until_the_job_is_cancelled(lab, client):
    job_id, follow = in_background(client, lab.job("true", reserve_data={"ssh_keys": [], "timeout": "3600"}))
    follow.until(lambda: "Reservation expires" in follow.output(), timeout_s=300)
    port = client.results(job_id)["device_info"]["ssh_port"]
    done = subprocess.run(["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                           "UserKnownHostsFile=/dev/null", "-i", str(lab.key), "-p", str(port),
                           "root@127.0.0.1", "echo let in"], check=False, timeout=120, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout == "let in\n", done.stderr
    client.good("cancel", job_id)
    wait_for(lambda: not follow.running())
    wait_for(lab.gone, what="the machine is destroyed")


def test_an_attached_image_is_booted(lab, client, image, tmp_path):
    (tmp_path / "job.json").write_text(json.dumps(lab.job(f"{SSH} echo from an attachment\n", provision_data={
        "use_attachment": "disk.qcow2", "attachments": [{"local": str(image.disk), "agent": "disk.qcow2"}]})))
    job_id = client.good("submit", "--quiet", str(tmp_path / "job.json")).strip()
    assert client.run("poll", job_id).returncode == 0
    assert "from an attachment" in client.results(job_id)["test_output"]
    wait_for(lab.gone)


def test_an_image_that_does_not_boot_fails_with_what_the_console_said(lab, client):
    lab.configure(boot_timeout=10, kernel=None, initrd=None, append=None)  # the disk alone has none
    job_id = client.submit(lab.job("echo never\n"))
    assert client.run("poll", job_id).returncode != 0
    results = client.results(job_id)
    assert results["provision_status"] == 1 and "test_status" not in results
    assert "within 10 seconds" in results["provision_output"]
    assert "No bootable device" in results["provision_output"].split("console ended with")[1]
    wait_for(lab.gone)


def test_a_machine_that_ends_in_the_test_is_told(lab, client):
    job_id = client.submit(lab.job(f"pid=$(cat '{lab.vm}/pid')\n{SSH} 'busybox poweroff -f; sleep 3600'\n"
                                   "while kill -0 $pid; do sleep 0.1; done\nexit 3\n"))
    assert client.run("poll", job_id).returncode != 0
    results = client.results(job_id)
    assert results["test_status"] == 3 and "the virtual machine has ended" in results["test_output"]
    assert results["cleanup_status"] == 0
    wait_for(lab.gone)


def test_a_job_cancelled_while_the_machine_boots_leaves_nothing(lab, client):
    job_id = client.submit(lab.job("echo never\n"))
    wait_for(lab.machines, timeout_s=120, what="the machine starts")
    client.good("cancel", job_id)
    wait_for(lambda: client.status(job_id) == "cancelled")
    wait_for(lab.gone, timeout_s=120, what="the machine is destroyed")
    assert "test_output" not in client.results(job_id)


def test_an_agent_that_is_killed_leaves_a_machine_that_is_destroyed_at_its_next_start(lab, client, tmp_path):
    job_id = client.submit(lab.job(f"touch '{tmp_path}/reached'; {SSH} sleep 3600\n"))
    wait_for((tmp_path / "reached").exists, timeout_s=300, what="the test runs")
    machines = lab.machines()
    assert machines
    lab.agent.process.kill()
    lab.agent.start()
    wait_for(lambda: client.status(job_id) == "complete", timeout_s=120, what="the job is given up")
    wait_for(lambda: not lab.machines(), what="the machine is destroyed")
    after = client.submit(lab.job(f"{SSH} echo next job\n"))
    assert client.run("poll", after).returncode == 0
    assert "next job" in client.results(after)["test_output"]
    wait_for(lab.gone)
