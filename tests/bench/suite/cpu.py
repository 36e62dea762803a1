# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU time and memory of processes, from /proc."""
import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """(parent, own seconds, seconds of children that have ended)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own, ended = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return int(fields[1]), own / TICKS, ended / TICKS


def family_seconds(pid):
    """CPU time so far of a process and its children, those that have ended too."""
    _, own, ended = stat(pid)
    total = own + ended
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent, own, _ = stat(entry.name)
            except OSError:
                continue
            total += own if parent == pid else 0
    return total


class Measured:
    """with Measured(pid) as m: …; m.percent is what the process and its children needed of one core."""

    def __init__(self, pid):
        self.pid = pid
        self.percent = None

    def __enter__(self):
        self.before, self.start = family_seconds(self.pid), time.monotonic()
        return self

    def __exit__(self, *_):
        used = family_seconds(self.pid) - self.before
        self.percent = 100 * used / (time.monotonic() - self.start)


def memory_mib(pid, name="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"the kernel does not tell {name}")
