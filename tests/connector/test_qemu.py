# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines, with a qemu that is none: tests/e2e/test_qemu.py boots real ones."""
import fcntl
import hashlib
import http.server
import os
import pathlib
import shutil
import signal
import subprocess
import threading

import pytest
import yaml

from agent import processes_with, wait_gone
from connector import JOB_ID, UNDER_VALGRIND, Connector, stopped
from programs import ROOT, program
from sshd import need_ssh
from wait import wait_for

pytestmark = pytest.mark.skipif(UNDER_VALGRIND,
                                reason="valgrind does not know pidfds, by which machines are ended")

QCOW2 = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(16) + (1 << 20).to_bytes(8, "big") + bytes(80)

# what the connector runs, as far as it matters: they leave what they were given
TOOLS = {
    "qemu-img": 'for last; do size=$disk; disk=$last; done; echo "$@" >"$size"',
    "genisoimage": 'while [ "$1" != -output ]; do shift; done; tar -c -f "$2" -C "$3" .',
}


class Lab:
    """A connector of type qemu with a directory for its machine."""

    def __init__(self, directory, sshd, **config):
        self.state = directory / "state"
        self.vm = self.state / "qemu-vm"
        fake = config.pop("fake", [])
        self.connector = Connector(directory, "qemu", **{
            "state_dir": str(self.state), "qemu_binary": str(ROOT / "tests/lib/fakeqemu"), "accel": "tcg",
            "ssh_user": sshd.user, "ssh_identity": str(sshd.identity), "boot_timeout": 60,
            "extra_args": [part for word in (f"ssh={sshd.port}", *fake) for part in ("-fake", word)],
            **config})
        bin_dir = directory / "bin"
        bin_dir.mkdir()
        for name, script in TOOLS.items():
            (bin_dir / name).write_text(f"#!/bin/sh\n{script}\n")
            (bin_dir / name).chmod(0o755)
        self.connector.env["PATH"] = f"{bin_dir}:{os.environ['PATH']}"
        self.attach("disk.img", bytes(1 << 20))

    def attach(self, name, data):
        path = self.connector.dir / "attachments" / "provision" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.connector.job["provision_data"] = {"use_attachment": name}

    def machines(self):
        return processes_with(f"-pidfile {self.vm}/pid")

    def gone(self):
        return not self.machines() and not self.vm.exists()

    def refusal(self, **provision_data):
        """What provision says about a job or a configuration that is wrong; nothing is left of it."""
        if provision_data:
            self.connector.job["provision_data"] = provision_data
        assert self.connector.run("provision").returncode == 1
        assert self.gone()
        name, message, cause = self.connector.failure("provision")
        return name, f"{message}: {cause}"


@pytest.fixture
def lab(tmp_path, sshd):
    need_ssh()
    labs = []

    def make_one(**config):
        labs.append(Lab(tmp_path, sshd, **config))
        return labs[-1]
    yield make_one
    for one in labs:
        for pid in one.machines():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def web(tmp_path):
    """A directory and the address it is served at."""
    directory = tmp_path / "web"
    directory.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(directory))

        def log_message(self, *_arguments):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield directory, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_machine_is_provisioned_tested_reserved_and_destroyed(lab):
    one = lab()
    connector = one.connector
    out = connector.good("provision")
    assert "answers over ssh" in out and len(one.machines()) == 1
    info = connector.json("device-info.json")["device_info"]
    assert info["device_ip"] == "127.0.0.1" and info["agent_name"] == "agent-1"
    script = ('echo port $DEVICE_SSH_PORT; ssh -o BatchMode=yes -o StrictHostKeyChecking=no '
              '-o UserKnownHostsFile=/dev/null -i "$DEVICE_SSH_IDENTITY" -p "$DEVICE_SSH_PORT" '
              '"$DEVICE_SSH_USER@$DEVICE_IP" echo over ssh')
    out = connector.good("runtest", test_data={"test_cmds": script})
    assert f"port {info['ssh_port']}\n" in out and "over ssh\n" in out
    out = connector.good("reserve", reserve_data={"timeout": 0})
    assert f"ssh -p {info['ssh_port']}" in out
    (connector.dir / "device-info.json").unlink()
    connector.good("allocate")
    assert connector.json("device-info.json")["device_info"] == info
    assert "destroyed" in connector.good("cleanup")
    assert one.gone()
    assert connector.good("cleanup") == ""


def test_the_console_is_captured_while_provisioning_and_while_testing(lab):
    one = lab()
    one.connector.good("provision")
    assert one.connector.read("provision-serial.log").startswith("fake machine\nfirst line")
    one.connector.good("runtest", test_data={
        "test_cmds": "while ! grep again test-serial.log; do sleep 0.05; done"})
    assert one.connector.read("test-serial.log") == "connected again\n"


def test_the_command_line_is_what_the_configuration_says(lab):
    one = lab(memory=512, cpus=3, machine="q35", cpu_model="host", kernel="/boot/k", initrd="/boot/i",
              append="console=ttyS0 a,b", restrict_network=True)
    one.connector.good("provision")
    line = pathlib.Path(f"/proc/{one.machines()[0]}/cmdline").read_bytes().decode().split("\0")
    pairs = list(zip(line, line[1:]))
    for pair in (("-m", "512"), ("-smp", "3"), ("-machine", "q35"), ("-accel", "tcg"), ("-cpu", "host"),
                 ("-kernel", "/boot/k"), ("-initrd", "/boot/i"), ("-append", "console=ttyS0 a,b")):
        assert pair in pairs, line
    assert any("restrict=on" in word and "hostfwd=tcp:127.0.0.1:0-:22" in word for word in line)


def test_the_disk_lies_over_the_image_and_may_be_larger(lab):
    one = lab(disk_size=8)
    one.connector.good("provision")
    image = one.connector.dir / "attachments/provision/disk.img"
    words = (one.vm / "disk.qcow2").read_text().split()
    assert words[words.index("-F") + 1] == "raw" and words[words.index("-b") + 1] == str(image)
    assert words[-1] == str(8 << 20)


def test_the_seed_has_the_job_s_user_data_and_the_key(lab):
    one = lab()
    data = "#cloud-config\nhostname: \"é\"\n"
    one.connector.job["provision_data"]["user_data"] = data
    one.connector.good("provision")
    assert (one.vm / "seed/user-data").read_text() == data
    meta = (one.vm / "seed/meta-data").read_text()
    public = pathlib.Path(one.connector.config["ssh_identity"] + ".pub").read_text().split()
    assert JOB_ID in meta and " ".join(public[:2]) in meta


def test_without_a_key_of_the_lab_each_machine_has_its_own(lab, sshd):
    one = lab(boot_timeout=600)
    del one.connector.config["ssh_identity"]
    process = one.connector.start("provision")
    try:
        # the machine lets it in as soon as it knows it, as cloud-init would make it do
        process.until((one.vm / "seed.iso").exists)
        with sshd.keys.open("a") as file:
            file.write((one.vm / "key.pub").read_text())
        assert process.wait() == 0, process.output()
    finally:
        process.stop()
    assert "identity " + str(one.vm / "key") in one.connector.good("runtest", test_data={
        "test_cmds": "echo identity $DEVICE_SSH_IDENTITY"})


def test_an_image_is_fetched_and_checked(lab, web):
    directory, url = web
    (directory / "image").write_bytes(QCOW2)
    one = lab()
    one.connector.good("provision", provision_data={
        "url": f"{url}/image", "sha256": hashlib.sha256(QCOW2).hexdigest().upper()})
    assert (one.vm / "image").read_bytes() == QCOW2
    words = (one.vm / "disk.qcow2").read_text().split()
    assert words[words.index("-F") + 1] == "qcow2"


def test_an_image_that_cannot_be_had_is_told(lab, web):
    directory, url = web
    (directory / "large").write_bytes(bytes((1 << 20) + 1))
    one = lab(image_max=1)
    assert "404" in one.refusal(url=f"{url}/none")[1]
    name, why = one.refusal(url=f"{url}/large")
    assert name == "JobError" and "image_max" in why
    (directory / "small").write_bytes(QCOW2)
    name, why = one.refusal(url=f"{url}/small", sha256="0" * 64)
    assert name == "JobError" and hashlib.sha256(QCOW2).hexdigest() in why
    assert one.refusal(url="file:///etc/passwd")[0] == "JobError"


@pytest.mark.parametrize("data, said", [
    ({"distro": "x"}, "url or use_attachment"),
    ({"url": "http://127.0.0.1:1/", "use_attachment": "disk.img"}, "not both"),
    ({"use_attachment": "none"}, "no attachment"),
    ({"use_attachment": "../../testflinger.json"}, "no attachment"),
    ({"use_attachment": "."}, "no attachment"),
    ({"use_attachment": "link"}, "no attachment"),
    ({"use_attachment": "disk.img", "user_data": {"a": 1}}, "user_data"),
    ({"use_attachment": "disk.img", "sha256": "abc"}, "sha256"),
])
def test_a_job_that_asks_for_what_cannot_be_is_refused(lab, data, said):
    one = lab()
    (one.connector.dir / "attachments/provision/link").symlink_to("/etc/passwd")
    name, why = one.refusal(**data)
    assert name == "JobError" and said in why


def test_an_image_that_names_another_file_is_refused(lab):
    one = lab()
    one.attach("evil", QCOW2[:8] + (104).to_bytes(8, "big") + QCOW2[16:])
    assert one.refusal() == ("JobError", "could not prepare the virtual machine's disks: the image has a "
                             "backing file")


def test_an_image_larger_than_the_lab_allows_is_refused(lab):
    one = lab(disk_max=1)
    one.attach("large", bytes((1 << 20) + 512))
    name, why = one.refusal()
    assert name == "JobError" and "disk_max" in why


@pytest.mark.parametrize("config, said", [
    ({"memory": 8}, "memory"), ({"memory": "much"}, "memory"), ({"cpus": 0}, "cpus"),
    ({"accel": "fast"}, "accel"), ({"boot_timeout": 0}, "boot_timeout"), ({"machine": ["a"]}, "machine"),
    ({"extra_args": "-x"}, "extra_args"), ({"extra_args": ["-x", 1]}, "item 2"), ({"initrd": "/x"}, "initrd"),
    ({"restrict_network": "yes"}, "restrict_network"), ({"state_dir": "relative"}, "state_dir"),
    ({"state_dir": "/tmp/testflinger,comma"}, "comma"), ({"state_dir": "/tmp/" + "x" * 90}, "too long"),
    ({"disk_size": 9, "disk_max": 8}, "disk_max"), ({"state_dir": None, "agent_name": "a/b"}, "agent_name"),
    ({"ssh_user": "-x"}, "ssh_user"),
])
def test_a_wrong_configuration_is_told_by_its_key(lab, config, said):
    one = lab()
    one.connector.config.update(config)
    try:
        assert one.connector.run("provision").returncode == 1
        assert said in one.connector.failure("provision")[1]
        assert not one.machines()
    finally:
        for path in (config.get("state_dir"),):
            if path and path.startswith("/tmp/"):
                shutil.rmtree(path, ignore_errors=True)


def test_a_machine_that_does_not_boot_is_told_with_its_last_words(lab):
    one = lab(fake=["hangs"], boot_timeout=1)
    name, why = one.refusal()
    assert name == "ProvisioningError" and "within 1 seconds" in why
    assert "first line\nlast words" in why


def test_a_machine_that_ends_while_it_boots_is_not_waited_for(lab):
    one = lab(fake=["dies"], boot_timeout=3600)
    assert "ended by itself" in one.refusal()[1]


def test_a_qemu_that_does_not_start_says_why(lab):
    one = lab(fake=["no-kvm"], accel="kvm")
    assert "kvm does not work here" in one.refusal()[1]
    one.connector.config["qemu_binary"] = "/no/such/qemu"
    assert "/no/such/qemu" in one.refusal()[1]


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="there is no /dev/kvm")
def test_a_kvm_that_does_not_work_is_done_without(lab):
    one = lab(fake=["no-kvm"], accel="auto")
    out = one.connector.good("provision")
    assert "kvm does not work here" in out and "tcg" in out


def test_a_stage_that_is_ended_while_the_machine_boots_takes_it_along(lab):
    one = lab(fake=["hangs"], boot_timeout=3600)
    process = one.connector.start("provision")
    process.until(lambda: "started" in process.output())
    wait_for(one.machines)
    assert stopped(process) == 128 + signal.SIGTERM
    assert one.gone()


def test_a_download_is_ended_at_once(lab):
    one = lab()
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as silent:
        one.connector.job["provision_data"] = {"url": f"http://127.0.0.1:{silent.server_port}/image"}
        process = one.connector.start("provision")
        process.until(lambda: "fetching" in process.output())
        assert stopped(process) == 128 + signal.SIGTERM
    assert one.gone()


def test_a_machine_that_was_left_over_is_replaced(lab):
    one = lab()
    one.connector.good("provision")
    first = one.machines()
    assert "left over" in one.connector.good("provision")
    assert len(one.machines()) == 1 and one.machines() != first


@pytest.mark.parametrize("stage", ["runtest", "allocate", "reserve"])
def test_the_machine_of_another_job_is_not_used(lab, stage):
    one = lab()
    one.connector.good("provision")
    assert one.connector.run(stage, job_id="another,job", test_data={"test_cmds": "echo never"}).returncode == 1
    assert "no virtual machine" in one.connector.failure(stage)[1]
    one.connector.good("cleanup")
    assert one.gone()


def test_a_machine_is_found_without_any_file_of_it(lab):
    one = lab()
    one.connector.good("provision")
    shutil.rmtree(one.vm)
    assert "destroyed" in one.connector.good("cleanup")
    assert one.gone()


def test_a_machine_that_minds_nothing_is_killed(lab):
    one = lab(fake=["deaf"])
    process = one.connector.start("provision")
    process.until(lambda: "started" in process.output())
    wait_for(one.machines)
    process.kill()
    assert one.machines()
    one.connector.good("cleanup")
    assert one.gone()


def test_what_cannot_be_destroyed_takes_the_device_out_of_service(lab):
    one = lab()
    deep = one.vm
    for _ in range(110):
        deep = deep / "d"
    deep.mkdir(parents=True)
    for stage in ("cleanup", "provision"):
        assert one.connector.run(stage).returncode == 46
        assert one.connector.failure(stage)[0] == "RecoveryError"


def test_stages_that_destroy_and_make_wait_for_each_other(lab):
    one = lab()
    one.state.mkdir()
    lock = os.open(one.state, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = one.connector.start("cleanup")
        wait_for(lambda: any(os.readlink(entry) == str(one.state) for entry in
                             pathlib.Path(f"/proc/{process.pid}/fd").iterdir()), what="it looks at the lock")
        assert process.running()
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert process.wait() == 0
    finally:
        os.close(lock)


def test_a_machine_that_ends_during_the_test_is_told(lab):
    one = lab()
    one.connector.good("provision")
    done = one.connector.run("runtest", test_data={
        "test_cmds": f"kill -9 $(cat {one.vm}/pid)\nwhile kill -0 $(cat {one.vm}/pid); do sleep 0.05; done\nexit 3"})
    assert done.returncode == 3 and "the virtual machine has ended" in done.stdout
    wait_gone(f"-pidfile {one.vm}/pid")
    assert one.connector.run("reserve", reserve_data={"timeout": 0}).returncode == 1
    assert "no virtual machine" in one.connector.failure("reserve")[1]
    one.connector.good("cleanup")
    assert one.gone()


def test_the_example_is_a_configuration_of_both_programs(lab):
    one = lab()
    example = yaml.safe_load((ROOT / "examples/qemu.yaml").read_text())
    one.connector.config = {**example, "state_dir": str(one.state)}
    assert one.connector.good("cleanup") == ""
    done = subprocess.run([program("testflinger-agent"), "--check", "-c", ROOT / "examples/qemu-agent.conf"],
                          check=False, timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_a_firmware_update_is_refused(lab):
    one = lab()
    assert one.connector.run("firmware_update", firmware_update_data={"version": "1"}).returncode == 1
    assert one.connector.failure("firmware_update")[0] == "JobError"


def test_a_real_qemu_is_spoken_to(lab):
    """It finds nothing to boot, and its firmware says so."""
    for tool in ("qemu-system-x86_64", "qemu-img", "genisoimage"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    one = lab(qemu_binary="qemu-system-x86_64", extra_args=[], memory=64, boot_timeout=5)
    del one.connector.env["PATH"]
    name, why = one.refusal()
    assert name == "ProvisioningError" and "oot" in why.split("console ended with")[1]


def test_arguments_of_the_lab_come_after_ours(lab):
    one = lab()
    one.connector.config["extra_args"] += ["-smbios", "type=1,serial=7"]
    one.connector.good("provision")
    line = pathlib.Path(f"/proc/{one.machines()[0]}/cmdline").read_bytes().decode()
    assert line.index("-m\0") < line.index("type=1,serial=7")
