# SPDX-License-Identifier: GPL-3.0-or-later
"""What these tests break is theirs alone: a PostgreSQL of their own, which keeps its data."""
import contextlib

import pytest

from cluster import Cluster
from server import ADMIN_ID, ADMIN_SECRET, dbadmin

DATABASE = "testflinger"


def pytest_collection_modifyitems(items):
    """The file that takes longest first: workers take whole files, in this order."""
    items.sort(key=lambda item: item.path.name != "test_storm.py")


@contextlib.contextmanager
def new_cluster(settings=None):
    """With our schema and the system admin in DATABASE."""
    made = Cluster(settings)
    try:
        made.migrate(DATABASE)
        dbadmin(made, DATABASE, "client", "add", ADMIN_ID, given=ADMIN_SECRET + "\n")
        yield made
    finally:
        made.stop()


@pytest.fixture(name="own", scope="module")
def own_cluster():
    with new_cluster() as made:
        yield made
