# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL tests need none of our programs: their template is made by psql."""
import pathlib
import sys

import psycopg
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

TEMPLATE = "sql_template"


@pytest.fixture(scope="session")
def template(cluster):
    cluster.migrate_by_psql(TEMPLATE)
    return TEMPLATE


@pytest.fixture
def connect(cluster, database):
    """Opens sessions in the test file's database; they are closed at the end of the test."""
    opened = []

    def open_session(**kwargs):
        opened.append(psycopg.connect(cluster.conninfo(database), **kwargs))
        return opened[-1]

    yield open_session
    for connection in opened:
        connection.close()
