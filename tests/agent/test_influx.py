# SPDX-License-Identifier: GPL-3.0-or-later
"""Points for an InfluxDB, a real one."""
import subprocess

import pytest

import influxdb
from influxdb import InfluxDB
from wait import wait_for

pytestmark = pytest.mark.skipif(not influxdb.available(), reason="influxd is not installed")


@pytest.fixture
def database(tmp_path):
    made = InfluxDB(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def guarded(tmp_path):
    made = InfluxDB(tmp_path, "lab", "open sesame &c")
    yield made.start()
    made.stop()


def variables(database, **others):
    return {"INFLUX_HOST": "127.0.0.1", "INFLUX_PORT": str(database.port), **others}


LIFE = [("waiting", None), ("test", None), ("test", 3), ("cleanup", None), ("cleanup", 0),
        ("waiting", None)]


def test_states_and_ends_of_phases_arrive(fake, make_agent, database):
    database.start()
    name = 'a b,c=d "e"\\f é'
    make_agent(env=variables(database), name=name, test_command="exit 3", cleanup_command="true")
    fake.wait_complete(fake.add_job(test_data={"a": 1}))
    wait_for(lambda: len(database.points()) >= len(LIFE))
    assert database.points() == [(name, *point) for point in LIFE]
    types = database.query('SHOW FIELD KEYS FROM "phase result"')["series"][0]["values"]
    assert types == [["phase", "string"], ["result", "integer"]]


def test_points_wait_while_the_database_is_away_and_no_job_does(fake, make_agent, database):
    agent = make_agent(env=variables(database), test_command="exit 3", cleanup_command="true")
    fake.wait_complete(fake.add_job(test_data={"a": 1}))
    database.start()
    wait_for(lambda: len(database.points()) >= len(LIFE))
    assert [point[1:] for point in database.points()] == LIFE
    lines = [line for line in agent.process.output().splitlines() if "event=influx" in line]
    assert sum("level=warning" in line for line in lines) == 1, "said once, not for every try"
    wait_for(lambda: "points are taken again" in agent.process.output())


def test_a_database_that_is_dropped_is_made_again(fake, make_agent, database):
    database.start()
    make_agent(env=variables(database), setup_command="true")
    fake.wait_complete(fake.add_job())
    wait_for(lambda: database.points())
    database.query("DROP DATABASE agent_jobs", method="POST")
    fake.wait_complete(fake.add_job())
    wait_for(lambda: ("agent-1", "setup", 0) in database.points())


def test_user_and_password_are_used_and_shown_to_nobody(fake, make_agent, guarded):
    env = variables(guarded, INFLUX_USER="lab", INFLUX_PW="open sesame &c")
    agent = make_agent(env=env, test_command="env")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    wait_for(lambda: ("agent-1", "test", 0) in guarded.points())
    assert "sesame" not in agent.process.output()
    assert "sesame" not in job.log("test")


def test_a_wrong_password_is_only_logged(fake, make_agent, guarded):
    agent = make_agent(env=variables(guarded, INFLUX_USER="lab", INFLUX_PW="wrong-one"),
                       test_command="true")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    wait_for(lambda: "event=influx" in agent.process.output())
    assert "status=401" in agent.process.output()
    assert "wrong-one" not in agent.process.output()


def test_without_a_host_nobody_is_asked(fake, make_agent):
    agent = make_agent(env={"INFLUX_HOST": "", "INFLUX_PORT": "nonsense"}, test_command="true")
    fake.wait_complete(fake.add_job(test_data={"a": 1}))
    assert "influx" not in agent.process.output()


def test_a_port_that_is_none_ends_the_agent(fake, make_agent):
    agent = make_agent(start=False)
    done = subprocess.run(agent.command(), capture_output=True, text=True, timeout=60, check=False,
                          env={"INFLUX_HOST": "127.0.0.1", "INFLUX_PORT": "http", "PATH": "/bin"})
    assert done.returncode == 1
    assert "environment: INFLUX_PORT" in done.stderr
