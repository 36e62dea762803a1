# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machine that tests/lib/qemu_image builds: made once for each version of that script, kept
in $XDG_CACHE_HOME, or else with the programs."""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

from programs import ROOT, build_dir

SCRIPT = ROOT / "tests/lib/qemu_image"
CANNOT = 77
BUILD_TIMEOUT_S = 1800


class VmImage:
    def __init__(self, directory):
        self.dir = directory
        self.disk = directory / "disk.qcow2"

    @property
    def config(self):
        """What a connector's configuration says to boot it."""
        return {"kernel": str(self.dir / "vmlinuz"), "initrd": str(self.dir / "initrd"),
                "append": "console=ttyS0 quiet panic=-1", "memory": 256, "ssh_user": "root"}


def cache_dir():
    home = os.environ.get("XDG_CACHE_HOME")
    return pathlib.Path(home) / "testflinger" if home else build_dir() / "cache"


def need_image():
    """The image; skips, with the reason, where it can be neither built nor booted."""
    for tool in ("qemu-system-x86_64", "qemu-img", "genisoimage", "ssh"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    key = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:16]
    final = cache_dir() / f"qemu-image-{key}"
    final.parent.mkdir(parents=True, exist_ok=True)
    with open(final.parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            build(final)
    return VmImage(final)


def build(final):
    made = final.with_suffix(".new")
    shutil.rmtree(made, ignore_errors=True)
    done = subprocess.run([str(SCRIPT), str(made)], check=False, timeout=BUILD_TIMEOUT_S, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode == CANNOT:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout
    made.rename(final)
