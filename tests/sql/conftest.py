# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL tests need none of our programs: their template is made by psql."""
import pathlib
import sys

import psycopg
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

from race import ACTIONS, Case

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


@pytest.fixture(scope="module")
def rules(cluster, database):
    """Leases were looked at just now, a slow test is no outage, and any number may be lost."""
    cluster.psql("UPDATE tf.lease_rule SET value = most WHERE name IN ('outage_gap_s', 'brake_least');"
                 "SELECT tfx.shift_leases()", database)


@pytest.fixture(scope="module")
def alone(cluster, database):
    """What becomes of a job when actions come one after the other; remembered."""
    known = {}
    with psycopg.connect(cluster.conninfo(database), autocommit=True) as session:
        def act(state, *actions):
            if (state, actions) not in known:
                case = Case(session, state)
                for action in actions:
                    try:
                        session.execute(ACTIONS[action], case.values)
                    except psycopg.Error as error:
                        assert error.sqlstate.startswith("TF"), error
                known[state, actions] = case.observe()
                case.remove()
            return known[state, actions]
        yield act
