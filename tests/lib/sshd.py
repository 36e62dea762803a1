# SPDX-License-Identifier: GPL-3.0-or-later
"""A device that answers over ssh: a private sshd on a loopback port, which lets in the user of the
tests and has a home of its own, so that nothing of the machine is touched."""
import getpass
import os
import pathlib
import shutil
import subprocess

import pytest

from ports import free_port
from programs import Process

SSHD = "/usr/sbin/sshd"

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {dir}/host_key
PidFile none
UsePAM no
StrictModes no
AuthorizedKeysFile {home}/.ssh/authorized_keys
SetEnv HOME={home}
Subsystem sftp internal-sftp
PermitRootLogin yes
PasswordAuthentication {passwords}
KbdInteractiveAuthentication no
LogLevel VERBOSE
PerSourceMaxStartups none
MaxStartups 100
"""


def need_ssh():
    for name in (SSHD, "ssh", "ssh-copy-id", "ssh-keygen"):
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)],
                   check=True, timeout=60)
    return path


def with_password(directory, user, password):
    """A command to put before sshd, which then knows user by this password: in a namespace of mounts
    with another /etc/shadow.  Skips where that cannot be made."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, text=True, check=True,
                            stdout=subprocess.PIPE, timeout=60).stdout.strip()
    shadow = pathlib.Path(directory) / "shadow"
    shadow.write_text(f"{user}:{hashed}:19000:0:99999:7:::\n")
    command = ["unshare", "--mount", "sh", "-c",
               'mount --bind "$0" /etc/shadow && exec "$@"', str(shadow)]
    if os.geteuid() != 0 or subprocess.run([*command, "true"], check=False, timeout=60,
                                           stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("a namespace of mounts cannot be made here")
    return command


class Sshd:
    def __init__(self, directory):
        need_ssh()
        self.dir = pathlib.Path(directory)
        self.home = self.dir / "home"
        (self.home / ".ssh").mkdir(parents=True)
        self.keys = self.home / ".ssh" / "authorized_keys"
        make_key(self.dir / "host_key")
        self.identity = make_key(self.dir / "identity")
        self.keys.write_text((self.dir / "identity.pub").read_text())
        self.user = getpass.getuser()
        self.port = free_port()
        self.process = None

    def start(self, before=(), passwords="no"):
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        (self.dir / "sshd_config").write_text(CONFIG.format(
            dir=self.dir, home=self.home, port=self.port, passwords=passwords))
        self.process = Process([*before, SSHD, "-D", "-e", "-f", self.dir / "sshd_config"],
                               self.dir / "sshd.log")
        self.process.until(lambda: "Server listening" in self.process.output(), what="sshd listens")
        return self

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    @property
    def config(self):
        """What a connector's configuration says about this device."""
        return {"device_ip": "127.0.0.1", "ssh_port": self.port, "ssh_identity": str(self.identity)}

    @property
    def test_data(self):
        return {"test_username": self.user}
