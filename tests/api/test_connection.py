# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests of the database connection that need a real PostgreSQL: a cluster of their own,
since they change its settings, stop its processes and end its connections."""
import os
import subprocess

from cluster import Cluster
from programs import build_dir


def test_statements_against_a_real_server():
    test = build_dir() / "tests" / "unit" / "server" / "db" / "test_statement"
    assert test.exists(), f"{test} is not built (make check)"
    own = Cluster()
    try:
        done = subprocess.run([test], check=False, timeout=120, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env={**os.environ, "TESTFLINGER_TEST_DB": own.conninfo()})
        assert done.returncode == 0, done.stdout
    finally:
        own.stop()
