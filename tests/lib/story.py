# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that do in each phase what their name says, and the stories of how they go.

A story names the phases that run, in their order: "setup provision:7 cleanup".  A phase alone ended
with 0; "test:7" ended with 7; "test:143/cancelled" was stopped for that reason; "/cancelled" stands
where a cancel was seen between two phases."""
import pathlib
import re

PHASES = ["setup", "provision", "firmware_update", "test", "allocate", "reserve", "cleanup"]
WITH_DATA = [phase for phase in PHASES if phase not in ("setup", "cleanup")]
RECOVERY_FAILED = 46

# The job's name is "PHASE WHAT [PHASE WHAT]…"; what is an exit status, "hangs" or "waits" (for a file
# "go" in the job's directory).
SCRIPT = r"""
phase=$1
echo "this is $phase"
what=$(sed -n "s/.*\"name\": *\"\([^\"]*\)\".*/ \1 /p" testflinger.json |
    sed -n "s/.* $phase \([^ ]*\) .*/\1/p")
case $what in
[0-9]*) exit "$what" ;;
hangs) echo hanging; exec sleep 1000 ;;
waits) echo waiting; until [ -e go ]; do sleep 0.02; done ;;
esac
"""


def commands(directory, without=()):
    """Options for an agent whose phases run the script, all but those without."""
    script = pathlib.Path(directory) / "act"
    script.write_text(SCRIPT)
    return {f"{phase}_command": f"sh {script} {phase}" for phase in PHASES if phase not in without}


def steps(story):
    """[(phase, status, reason)]; a cancel between phases is (None, None, "cancelled")."""
    found = []
    for word in story.split():
        phase, status, reason = re.fullmatch(r"(\w*):?(\d*)/?(\w*)", word).groups()
        found.append((phase or None, int(status or 0) if phase else None, reason or None))
    return found


def statuses(story):
    return {phase: status for phase, status, _ in steps(story) if phase}


def events(story):
    names = ["job_start"]
    for phase, status, reason in steps(story):
        if phase:
            names.append(f"{phase}_start")
        if reason:
            names.append(reason)
        if status == RECOVERY_FAILED:
            names.append("recovery_fail")
        elif phase:
            names.append(f"{phase}_fail" if status else f"{phase}_success")
    return names + ["job_end"]


def job_states(story):
    states = []
    for phase, status, _ in steps(story):
        states += [phase] if phase else []
        states += ["allocated"] if phase == "allocate" and status == 0 else []
    return states + ["complete"]
