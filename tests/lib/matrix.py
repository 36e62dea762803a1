# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent promises for every phase and everything that can become of it.

Written down from the agent's contract: phase, what happens in it, the story of the job (story.py),
the reason told with its last event, what the provision log gets (exit status and detail)."""
from dataclasses import dataclass

ALL = "setup provision firmware_update test allocate reserve cleanup"
WELL = (0, "provision_success")

TABLE = [
    # each alone
    ("setup", "alone", "setup cleanup", "normal_exit", None),
    ("provision", "alone", "setup provision cleanup", "normal_exit", WELL),
    ("firmware_update", "alone", "setup firmware_update cleanup", "normal_exit", None),
    ("test", "alone", "setup test cleanup", "normal_exit", None),
    ("allocate", "alone", "setup allocate cleanup", "normal_exit", None),
    ("reserve", "alone", "setup reserve cleanup", "normal_exit", None),
    ("cleanup", "with all others", ALL, "normal_exit", WELL),
    # a failing phase ends the job, but not a failing test
    ("setup", "7", "setup:7 cleanup", "setup_fail", None),
    ("provision", "7", "setup provision:7 cleanup", "provision_fail", (7, "provision_fail")),
    ("firmware_update", "7", "setup provision firmware_update:7 cleanup", "firmware_update_fail",
     WELL),
    ("test", "7", "setup provision firmware_update test:7 allocate reserve cleanup", "test_fail",
     WELL),
    ("allocate", "7", "setup provision firmware_update test allocate:7 cleanup", "allocate_fail",
     WELL),
    ("reserve", "255", "setup provision firmware_update test allocate reserve:255 cleanup",
     "reserve_fail", WELL),
    ("cleanup", "7", "setup provision firmware_update test allocate reserve cleanup:7",
     "normal_exit", WELL),
    # a device that cannot be brought back: after a test, too, nobody could use it
    ("setup", "46", "setup:46 cleanup", "recovery_fail", None),
    ("provision", "46", "setup provision:46 cleanup", "recovery_fail", (46, "recovery_fail")),
    ("firmware_update", "46", "setup provision firmware_update:46 cleanup", "recovery_fail", WELL),
    ("test", "46", "setup provision firmware_update test:46 cleanup", "recovery_fail", WELL),
    ("allocate", "46", "setup provision firmware_update test allocate:46 cleanup", "recovery_fail",
     WELL),
    ("reserve", "46", "setup provision firmware_update test allocate reserve:46 cleanup",
     "recovery_fail", WELL),
    ("cleanup", "46", "setup provision firmware_update test allocate reserve cleanup:46",
     "recovery_fail", WELL),
    # without data
    ("provision", "absent", "setup firmware_update test allocate reserve cleanup", "normal_exit",
     None),
    ("firmware_update", "absent", "setup provision test allocate reserve cleanup", "normal_exit",
     WELL),
    ("test", "absent", "setup provision firmware_update allocate reserve cleanup", "normal_exit",
     WELL),
    ("allocate", "absent", "setup provision firmware_update test reserve cleanup", "normal_exit",
     WELL),
    ("reserve", "absent", "setup provision firmware_update test allocate cleanup", "normal_exit",
     WELL),
    # told to be skipped
    ("provision", "skip", "setup firmware_update test allocate reserve cleanup", "normal_exit",
     None),
    ("firmware_update", "skip", "setup provision test allocate reserve cleanup", "normal_exit",
     WELL),
    ("test", "skip", "setup provision firmware_update allocate reserve cleanup", "normal_exit",
     WELL),
    ("allocate", "skip", "setup provision firmware_update test reserve cleanup", "normal_exit",
     WELL),
    ("reserve", "skip", "setup provision firmware_update test allocate cleanup", "normal_exit",
     WELL),
    # without a command
    ("setup", "no command", "provision firmware_update test allocate reserve cleanup",
     "normal_exit", WELL),
    ("provision", "no command", "setup firmware_update test allocate reserve cleanup",
     "normal_exit", None),
    ("firmware_update", "no command", "setup provision test allocate reserve cleanup",
     "normal_exit", WELL),
    ("test", "no command", "setup provision firmware_update allocate reserve cleanup",
     "normal_exit", WELL),
    ("allocate", "no command", "setup provision firmware_update test reserve cleanup",
     "normal_exit", WELL),
    ("reserve", "no command", "setup provision firmware_update test allocate cleanup",
     "normal_exit", WELL),
    ("cleanup", "no command", "setup provision firmware_update test allocate reserve",
     "normal_exit", WELL),
    # too long
    ("setup", "global_timeout", "setup:143/global_timeout cleanup", "global_timeout", None),
    ("provision", "global_timeout", "setup provision:143/global_timeout cleanup", "global_timeout",
     (143, "provision_fail")),
    ("firmware_update", "global_timeout",
     "setup provision firmware_update:143/global_timeout cleanup", "global_timeout", WELL),
    ("test", "global_timeout", "setup provision firmware_update test:143/global_timeout allocate "
     "reserve cleanup", "global_timeout", WELL),
    ("allocate", "global_timeout", "setup provision firmware_update test "
     "allocate:143/global_timeout cleanup", "global_timeout", WELL),
    ("cleanup", "global_timeout", "setup provision firmware_update test allocate reserve "
     "cleanup:143/global_timeout", "global_timeout", WELL),
    # too silent
    ("test", "output_timeout", "setup provision firmware_update test:143/output_timeout allocate "
     "reserve cleanup", "output_timeout", WELL),
    # cancelled: what provisions is not disturbed, and cleanup is what a cancel leads to
    ("setup", "cancelled", "setup:143/cancelled cleanup", "cancelled", None),
    ("provision", "cancelled", "setup provision /cancelled cleanup", "cancelled", WELL),
    ("firmware_update", "cancelled", "setup provision firmware_update:143/cancelled cleanup",
     "cancelled", WELL),
    ("test", "cancelled", "setup provision firmware_update test:143/cancelled cleanup", "cancelled",
     WELL),
    ("allocate", "cancelled", "setup provision firmware_update test allocate:143/cancelled cleanup",
     "cancelled", WELL),
    ("reserve", "cancelled", "setup provision firmware_update test allocate reserve:143/cancelled "
     "cleanup", "cancelled", WELL),
    ("cleanup", "cancelled", ALL, "normal_exit", WELL),
]


@dataclass(frozen=True)
class Case:
    phase: str
    what: str
    story: str
    reason: str
    provision_log: tuple

    def __str__(self):
        return f"{self.phase}-{self.what}".replace(" ", "-")


CASES = [Case(*row) for row in TABLE]
# What a job does in the phase to come to that; the rest is in its data or is done to it.
ACTS = {"global_timeout": "hangs", "output_timeout": "hangs", "cancelled": "hangs"}
WAITING = ("provision", "cleanup")  # those that a cancel does not stop


def act(case):
    """The words of the job's name, see story.py."""
    if case.what == "cancelled" and case.phase in WAITING:
        return f"{case.phase} waits"
    if case.what.isdigit() or case.what in ACTS:
        return f"{case.phase} {ACTS.get(case.what, case.what)}"
    return "nothing special"


def limits(case):
    return {case.what: 1} if case.what in ("global_timeout", "output_timeout") else {}


def phases_with_data(case, phases):
    """Those of phases for which the job has data."""
    if case.what == "alone":
        return [phase for phase in phases if phase == case.phase]
    if case.what == "absent":
        return [phase for phase in phases if phase != case.phase]
    return phases
