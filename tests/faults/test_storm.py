# SPDX-License-Identifier: GPL-3.0-or-later
"""No job is lost and none runs twice, whatever breaks: tests/storm breaks a whole lab, in an order that
its seed decides, and a checker that knows only the ledger and the database looks at what became of it.
The checker itself is tried with bugs that are planted on purpose."""
import sys

import pytest

from programs import ROOT, Process

sys.path.insert(0, str(ROOT / "tests" / "storm"))
from bugs import BUGS, plant  # pylint: disable=wrong-import-position

STORM = ROOT / "tests" / "storm" / "run"
AFTERWARDS_S = 400  # until all is quiet again, and the look at it


def storm(directory, seconds, *more):
    """(exit status, output): 0 means that nothing was lost or done twice."""
    process = Process([STORM, "--seconds", str(seconds), "--keep", directory, *more],
                      directory / "output")
    try:
        status = process.popen.wait(seconds + AFTERWARDS_S)
    finally:
        process.stop()  # it has a lab to end
    print(process.output())
    return status, process.output()


def test_nothing_is_lost_or_done_twice_in_a_short_storm(tmp_path):
    status, text = storm(tmp_path, 60)
    assert status == 0 and "\n0 violations" in text


def test_each_bug_can_be_planted(own):
    """A function whose text has changed is noticed before the long run."""
    for bug in BUGS:
        name = own.clone("testflinger")
        plant(own, name, bug)
        own.drop(name)


@pytest.mark.long
def test_nothing_is_lost_or_done_twice_in_a_long_storm(tmp_path):
    status, text = storm(tmp_path, 1800)
    assert status == 0 and "\n0 violations" in text


@pytest.mark.long
@pytest.mark.parametrize("bug", sorted(BUGS))
def test_the_checker_finds_a_planted_bug(bug, tmp_path):
    for turn in range(3):  # a bug shows when the right thing breaks at the right time
        directory = tmp_path / str(turn)
        directory.mkdir()
        status, text = storm(directory, 90, "--plant", bug)
        assert status in (0, 1), text
        if "VIOLATION" in text:
            return
    pytest.fail(f"{bug} was not found")
