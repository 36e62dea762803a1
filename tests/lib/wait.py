# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where tests pause: between two looks at what they wait for, until a deadline."""
import time

PAUSE_S = 0.05


def wait_for(condition, timeout_s=60, what="what the test waits for"):
    """Calls condition until it gives something true, and returns that."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not there after {timeout_s} s")
        time.sleep(PAUSE_S)
