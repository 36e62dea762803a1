# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the programs under test are, and processes that are always ended."""
import os
import pathlib
import re
import signal
import subprocess

from wait import patient, wait_for

# of the sanitizers, and of valgrind -q, which is silent otherwise
COMPLAINT = re.compile(r"ERROR: (?:Address|Leak)Sanitizer|runtime error:|^==\d+== ", re.MULTILINE)
ROOT = pathlib.Path(__file__).resolve().parents[2]


def build_dir():
    """$BUILDDIR, else the build of ./quickstart test, else that of ./quickstart demo."""
    if "BUILDDIR" in os.environ:
        return pathlib.Path(os.environ["BUILDDIR"]).resolve()
    for name in ("asan", "release"):
        if (ROOT / "build" / name / "testflinger-server").exists():
            return ROOT / "build" / name
    return ROOT


def program(name):
    path = build_dir() / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built (make, or set BUILDDIR)")
    return str(path)


class Process:
    """A program in a session of its own, its output in a file, gone with its group after stop()."""

    def __init__(self, command, log, env=None, cwd=None):
        self.log = pathlib.Path(log)
        self.command = [str(part) for part in command]
        with self.log.open("ab") as out:
            self.popen = subprocess.Popen(  # pylint: disable=consider-using-with
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                env={**os.environ, **(env or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def send(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout_s=60):
        """The status of a program that ends by itself."""
        return self.popen.wait(patient(timeout_s))

    def stop(self, number=signal.SIGTERM, timeout_s=60):
        """Asks the program to end; what is left of its group is killed.  Returns its status."""
        if self.running():
            self.send(number)
        try:
            status = self.popen.wait(patient(timeout_s))
        except subprocess.TimeoutExpired:
            status = None
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait(patient(10))
        if status is None:
            raise TimeoutError(f"{self.command[0]} did not end in {patient(timeout_s):g} s:\n{self.tail()}")
        return status

    def kill(self):
        self.send(signal.SIGKILL)
        self.popen.wait(patient(10))

    def check_well(self):
        """What looks after its memory has nothing to complain of."""
        said = self.output()
        found = COMPLAINT.search(said)
        assert not found, f"{self.command[0]}:\n{said[found.start():][:10000]}"

    def tail(self, lines=40):
        return "\n".join(self.output().splitlines()[-lines:])

    def until(self, condition, timeout_s=60, what="the program is ready"):
        """wait_for that gives up at once, with its output, when the program has ended."""
        def look():
            if not self.running():
                raise AssertionError(f"{self.command[0]} ended with {self.popen.returncode}:\n"
                                     f"{self.tail()}")
            return condition()
        try:
            return wait_for(look, timeout_s, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.tail()}") from None
