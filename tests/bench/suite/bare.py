# SPDX-License-Identifier: GPL-3.0-or-later
"""libmicrohttpd with nothing behind it (tests/bench/bare)."""
import contextlib
import subprocess

from programs import program


@contextlib.contextmanager
def bare_port():
    """with bare_port() as port: …"""
    process = subprocess.Popen([program("tests/bench/bare/bare")], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=60)
