# SPDX-License-Identifier: GPL-3.0-or-later
"""The generator (tests/bench/load): its plan, written in Python, and what it reports."""
import json
import subprocess

from programs import program
from wait import wait_for

END_S = 60  # it ends by itself long before


class Group:
    def __init__(self, name, connections, ports, **settings):
        self.name, self.connections, self.settings = name, connections, settings
        self.ports = list(ports)
        self.steps = []

    def step(self, name, request, **settings):
        """request: the header's lines, and after an empty one the body.  Returns the group."""
        self.steps.append((name, request, settings))
        return self

    def text(self):
        words = {"connections": self.connections, **self.settings,
                 "ports": ",".join(str(port) for port in self.ports)}
        yield f"group {self.name} {spell(words)}"
        for name, request, settings in self.steps:
            yield f"step {name} {spell({'ok': 200, **settings})}"
            yield request
            yield "."


def spell(settings):
    return " ".join(f"{key}={int(value) if isinstance(value, bool) else value}"
                    for key, value in settings.items())


class Report:
    """What came of a plan; the figures of one step, or of all of one name."""

    def __init__(self, data):
        self.data = data
        self.seconds = data["seconds"]

    def group(self, name):
        return self.data["groups"][name]

    def step(self, name):
        (found,) = [group["steps"][name] for group in self.data["groups"].values() if name in group["steps"]]
        return found

    def rate(self, name):
        """Answers to this step in a second."""
        return self.step(name)["count"] / self.seconds

    def rounds(self, name):
        return self.group(name)["rounds"] / self.seconds

    def ms(self, name, part):
        return self.step(name)[f"{part}_us"] / 1000

    def answers(self, name, status):
        """All of the run, those before and after the measuring too."""
        return self.step(name)["statuses"].get(str(status), 0)

    def unexpected(self, **expected):
        """Answers of a status that its step should not have got: step=(200, 204)."""
        bad = {}
        for name, statuses in expected.items():
            for status, count in self.step(name)["statuses"].items():
                if int(status) not in statuses:
                    bad[f"{name} {status}"] = count
        bad.update({f"{name} broken": group["broken"] for name, group in self.data["groups"].items()
                    if group["broken"]})
        return bad


class Generator:
    """One run of the generator."""

    def __init__(self, directory, groups, lists, warm_s, measure_s):
        self.directory = directory
        lines = []
        for name, values in lists.items():
            (directory / f"list-{name}").write_text("\n".join(values) + "\n")
            lines.append(f"list {name} {directory / f'list-{name}'}")
        for group in groups:
            lines.extend(group.text())
        (directory / "plan").write_text("\n".join(lines) + "\n")
        self.limit_s = warm_s + measure_s + END_S
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [program("tests/bench/load/load"), directory / "plan", str(int(warm_s * 1000)),
             str(max(1, int(measure_s * 1000)))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def release(self, condition=None, what="the load is there"):
        """Lets what is held begin, once the condition is true."""
        try:
            if condition:
                wait_for(lambda: self.process.poll() is not None or condition(), 120, what)
            self.tell()
        except BaseException:
            self.process.kill()
            raise
        return self

    def tell(self):
        """Releases what is held; if nothing is, ends the run before its time."""
        try:
            self.process.stdin.write("go on\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # finish() tells why it ended

    def finish(self):
        try:
            out, errors = self.process.communicate(timeout=self.limit_s)
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise
        if self.process.returncode != 0:
            raise RuntimeError(f"the generator ended with {self.process.returncode}: {errors.strip()}")
        return Report(json.loads(out))
