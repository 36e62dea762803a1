# SPDX-License-Identifier: GPL-3.0-or-later
"""Device connectors, run as an agent runs them."""
import pytest

from connector import Connector
from sshd import Sshd


@pytest.fixture
def make(tmp_path):
    """Makes the directory of a job for a type: make("noprovision", device_ip=…)."""
    def make_one(kind, **config):
        return Connector(tmp_path, kind, **config)
    return make_one


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    made = Sshd(tmp_path_factory.mktemp("sshd")).start()
    yield made
    made.stop()
