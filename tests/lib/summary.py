# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the results of all suites and tells them once.

Reads an index with a line per suite (name, format, results, log, exit status, separated by tabs);
formats are tap (cmocka, pg_prove, tests/style/run) and xml (pytest's JUnit file).  A suite that ended
badly without a failed test to show for it, or that ran fewer tests than it planned, counts as one
failure.  The last line is "N passed, M failed, K skipped"; the exit status tells whether M is 0."""
import pathlib
import re
import sys
import xml.etree.ElementTree

RESULT = re.compile(r"^(not )?ok\s+\d+\s*(?:-\s*)?([^#]*)(?:#\s*(skip|todo)\S*\s*(.*))?", re.I)
PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?", re.I)


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []   # (name, log)
        self.skipped = []  # (name, reason)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    @property
    def count(self):
        return self.passed + len(self.failed) + len(self.skipped)


def read_tap(suite, path, log):
    """Several documents may follow each other, as pg_prove writes them."""
    tally, planned = Tally(), 0
    for line in path.read_text(errors="replace").splitlines():
        plan, result = PLAN.match(line), RESULT.match(line)
        if plan:
            planned += int(plan.group(1))
            if plan.group(1) == "0":
                tally.skipped.append((suite, plan.group(2) or "no reason given"))
                planned += 1
        elif result:
            name = f"{suite}: {result.group(2).strip()}"
            if (result.group(3) or "").lower() == "skip":
                tally.skipped.append((name, result.group(4) or "no reason given"))
            elif result.group(1) and not result.group(3):
                tally.failed.append((name, log))
            else:
                tally.passed += 1
    if planned != tally.count:
        tally.failed.append((f"{suite}: {planned} tests planned, {tally.count} run", log))
    return tally


def read_xml(suite, path, log):
    tally = Tally()
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{suite}: {case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed.append((name, log))
        elif skipped is not None and skipped.get("type") == "pytest.xfail":
            tally.passed += 1
        elif skipped is not None:
            tally.skipped.append((name, skipped.get("message") or "no reason given"))
        else:
            tally.passed += 1
    return tally


READERS = {"tap": read_tap, "xml": read_xml}


def read_suite(line):
    suite, kind, path, log, status = line.split("\t")
    try:
        tally = READERS[kind](suite, pathlib.Path(path), log)
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        tally = Tally()
        tally.failed.append((f"{suite}: no results ({error})", log))
    # pytest ends with 5 when it collected nothing
    if int(status) not in (0, 5) and not tally.failed:
        tally.failed.append((f"{suite}: ended with status {status}", log))
    if tally.count == 0:
        tally.failed.append((f"{suite}: ran no test", log))
    return suite, tally


def main(index):
    total, groups = Tally(), {}
    for line in pathlib.Path(index).read_text().splitlines():
        suite, tally = read_suite(line)
        total.add(tally)
        # the many unit programs are one line
        groups.setdefault("unit" if suite.startswith("unit-") else suite, Tally()).add(tally)
    print()
    for suite, tally in groups.items():
        print(f"{suite:12}  {tally.passed:5} passed  {len(tally.failed):3} failed  "
              f"{len(tally.skipped):3} skipped")
    for name, reason in total.skipped:
        print(f"skipped: {name} ({reason})")
    for name, log in total.failed:
        print(f"FAILED: {name}\n        see {log}")
    print(f"{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
