# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where tests pause: between two looks at what they wait for, until a deadline.

$TESTFLINGER_TEST_PATIENCE is how many times as long as usual programs take, valgrind's for example.  No
test fails for being fast: it stretches what ends a wait in vain, nothing else."""
import os
import time

PAUSE_S = 0.05
PATIENCE = float(os.environ.get("TESTFLINGER_TEST_PATIENCE", "1"))


def patient(seconds):
    """A time limit of a test, as long as it is here."""
    return seconds * PATIENCE


def wait_for(condition, timeout_s=60, what="what the test waits for"):
    """Calls condition until it gives something true, and returns that."""
    deadline = time.monotonic() + patient(timeout_s)
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not there after {patient(timeout_s):g} s")
        time.sleep(PAUSE_S)
