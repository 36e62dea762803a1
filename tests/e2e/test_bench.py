# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark runs and its counts fit.  How fast anything is, is not looked at."""
import json
import subprocess

import pytest

from programs import ROOT, build_dir

RUN = ROOT / "tests" / "bench" / "run"


def bench(*arguments):
    return subprocess.run([RUN, "--build", build_dir(), *arguments], check=False, text=True, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_items_are_measured_and_counted(tmp_path):
    done = bench("--seconds", "0.3", "--turns", "1", "--no-peers", "--volatile", "--json",
                 tmp_path / "figures.json", "submit", "life")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "figures.json").read_text())
    assert not found["wrong"]
    figures = {(one["item"], one["figure"]): one for one in found["figures"]}
    # in so short a time a busy machine may come to nothing
    submissions = figures["submit", "64 queues / bare insert"]
    assert len(submissions["measured"]) == len(submissions["made"]) == 1 and "ratio" in submissions
    assert len(figures["life", "64 lists"]["measured"]) == 1
    assert len(figures["life", "submit, p99"]["measured"]) == 1
    assert "skipped: life: other job queues: --no-peers" in done.stdout


def test_items_are_listed():
    done = bench("--list")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()][:4] == ["empty", "claim", "submit", "life"]


@pytest.mark.parametrize("arguments", [("nonsense",), ("--turns", "0", "empty"), ("--seconds", "x")])
def test_wrong_usage_exits_with_2(arguments):
    assert bench(*arguments).returncode == 2
