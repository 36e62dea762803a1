# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent must not leave: processes of its jobs, and zombies.

Processes of jobs are known by the mark in their environment, so that agents of other runs on the
same machine do not matter."""
import pathlib

from wait import wait_for

MARK = b"TESTFLINGER_AGENT_JOB="


def each_process():
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            yield entry


def state_and_parent(entry):
    """("Z", 17); ("", 0) when the process has gone meanwhile."""
    try:
        fields = (entry / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()
        return fields[0], int(fields[1])
    except (OSError, IndexError):
        return "", 0


def mark_of(entry):
    """The job a process belongs to, or None."""
    try:
        variables = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    for variable in variables:
        if variable.startswith(MARK):
            return variable[len(MARK):].decode()
    return None


def processes_of(job_ids):
    """{pid: command line} of what is left of these jobs."""
    found = {}
    for entry in each_process():
        if mark_of(entry) in job_ids and state_and_parent(entry)[0] not in ("Z", ""):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found[int(entry.name)] = line
    return found


def zombies_of(pid):
    return [int(entry.name) for entry in each_process() if state_and_parent(entry) == ("Z", pid)]


def check_zombies(agent, timeout_s=10):
    """One that has just died is no zombie yet: it is one if it stays."""
    if agent.process and agent.process.running():
        wait_for(lambda: not zombies_of(agent.process.pid), timeout_s, "the agent reaps its children")


def check_nothing_left(job_ids):
    left = processes_of(set(job_ids))
    assert not left, f"processes of jobs are left: {left}"
