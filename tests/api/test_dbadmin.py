# SPDX-License-Identifier: GPL-3.0-or-later
"""testflinger-dbadmin: migrations, roles, clients.  Each test has a database of its own, empty or
migrated, and where it needs one a release of its own: a copy of migrations/ and sql/."""
import hashlib
import json
import os
import shutil
import subprocess

import psycopg
import pytest

from cluster import SERVER_LOGIN
from programs import ROOT, Process, program
from wait import wait_for

SECRET = "a secret of more than 15 characters"


class Release:
    def __init__(self, directory):
        self.migrations = directory / "migrations"
        self.sql = directory / "sql"
        shutil.copytree(ROOT / "migrations", self.migrations)
        shutil.copytree(ROOT / "sql", self.sql)

    def add(self, name, text):
        (self.migrations / name).write_text(text)

    def files(self):
        return ["--migrations", self.migrations, "--sql", self.sql]

    def newest(self):
        return max(path.name for path in self.migrations.glob("*.sql"))


class Database:
    """One database, and the program run on it."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name

    def sql(self, text, user="postgres"):
        return self.cluster.psql(text, self.name, user)

    def connect(self, user="postgres"):
        return psycopg.connect(self.cluster.conninfo(self.name, user), autocommit=True)

    def run(self, *arguments, user="postgres", given=""):
        """(exit status, output, messages)"""
        done = subprocess.run([program("testflinger-dbadmin"), *arguments], check=False, text=True,
                              timeout=120, input=given, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              env={**os.environ, **self.cluster.environment(self.name, user)})
        return done.returncode, done.stdout, done.stderr

    def good(self, *arguments, **how):
        status, out, messages = self.run(*arguments, **how)
        assert status == 0, messages
        return out

    def refused(self, *arguments, **how):
        status, _, messages = self.run(*arguments, **how)
        assert status == 1, messages
        assert messages.count("\n") == 1
        return messages

    def functions(self):
        return self.sql("SELECT array_agg(p.oid ORDER BY p.oid) FROM pg_proc p"
                        " WHERE pronamespace = 'api'::regnamespace")


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path)


@pytest.fixture
def empty(cluster):
    name = cluster.clone("template1")
    yield Database(cluster, name)
    cluster.drop(name)


@pytest.fixture
def migrated(cluster, template):
    name = cluster.clone(template)
    yield Database(cluster, name)
    cluster.drop(name)


# --- migrations -------------------------------------------------------------------


def test_an_empty_database_gets_everything_and_a_second_run_does_nothing(empty, release):
    out = empty.good("migrate", *release.files())
    for path in release.migrations.glob("*.sql"):
        assert f"applied {path.name}\n" in out
    functions = empty.functions()
    out = empty.good("migrate", *release.files())
    assert "applied" not in out and "installed" not in out
    assert empty.functions() == functions
    status, out, _ = empty.run("status", *release.files())
    assert status == 0 and "pending" not in out and "of this release" in out


def test_status_tells_that_something_is_to_be_done(empty, release):
    status, out, _ = empty.run("status", *release.files())
    assert status == 2
    assert out.count("pending") == len(list(release.migrations.glob("*.sql")))


def test_a_dry_run_changes_nothing(empty, release):
    out = empty.good("migrate", "--dry-run", *release.files())
    assert f"would apply {release.newest()}" in out and "would install" in out
    assert empty.sql("SELECT count(*) FROM pg_namespace WHERE nspname IN ('tf', 'api')") == "0"
    empty.good("migrate", *release.files())
    assert empty.good("migrate", "--dry-run", *release.files()) == ""


def test_a_changed_migration_is_refused(migrated, release):
    name = release.newest()
    release.add(name, (release.migrations / name).read_text() + "-- changed\n")
    assert name in migrated.refused("migrate", *release.files())
    assert name in migrated.refused("migrate", "--dry-run", *release.files())
    status, out, messages = migrated.run("status", *release.files())
    assert status == 1 and "changed" in out and name in messages


def test_a_migration_of_a_newer_release_is_refused(migrated, release):
    name = release.newest()
    (release.migrations / name).unlink()
    messages = migrated.refused("migrate", *release.files())
    assert name in messages and "newer" in messages


def test_a_migration_that_comes_too_late_is_refused(migrated, release):
    migrated.sql("INSERT INTO tf.migration VALUES (9001, '9001_later.sql', 'x')")
    release.add("9000_late.sql", "SELECT 1;\n")
    assert "9000_late.sql" in migrated.refused("migrate", *release.files())


@pytest.mark.parametrize("name", ["1_short.sql", "0000_zero.sql", "word.sql"])
def test_a_file_name_that_does_not_fit_is_refused(empty, release, name):
    release.add(name, "SELECT 1;\n")
    assert name in empty.refused("migrate", *release.files())


def test_two_migrations_with_one_number_are_refused(empty, release):
    release.add("9000_one.sql", "SELECT 1;\n")
    release.add("9000_two.sql", "SELECT 1;\n")
    assert "same number" in empty.refused("migrate", *release.files())


def test_two_runs_at_once_apply_each_migration_once(empty, release, tmp_path):
    command = [program("testflinger-dbadmin"), "migrate", *release.files()]
    env = empty.cluster.environment(empty.name)
    runs = [Process(command, tmp_path / f"log{i}", env=env) for i in range(3)]
    assert [run.popen.wait(120) for run in runs] == [0, 0, 0], [run.tail() for run in runs]
    text = "".join(run.output() for run in runs)
    for path in release.migrations.glob("*.sql"):
        assert text.count(f"applied {path.name}\n") == 1


def test_a_failing_migration_leaves_nothing_behind(migrated, release):
    release.add("9000_fails.sql", "CREATE TABLE tf.half (a int);\n\nSELECT nothing;\n")
    messages = migrated.refused("migrate", *release.files())
    assert "9000_fails.sql" in messages and "line 3" in messages and "nothing" in messages
    assert migrated.sql("SELECT to_regclass('tf.half') IS NULL") == "t"
    assert migrated.sql("SELECT count(*) FROM tf.migration WHERE version = 9000") == "0"
    release.add("9000_fails.sql", "CREATE TABLE tf.half (a int);\n")
    migrated.good("migrate", *release.files())
    assert migrated.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'half'") \
        == "testflinger_owner"


def test_a_migration_that_ends_its_transaction_is_refused(migrated, release):
    release.add("9000_commits.sql", "SELECT 1;\nCOMMIT;\n")
    assert "ends the transaction" in migrated.refused("migrate", *release.files())


def test_an_index_left_invalid_is_made_again(migrated, release):
    with migrated.connect() as connection:
        connection.execute("CREATE TABLE tf.twice AS SELECT 1 AS a FROM generate_series(1, 2)")
        connection.execute("ALTER TABLE tf.twice OWNER TO testflinger_owner")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY twice_a ON tf.twice (a)")
    release.add("9000_index_twice.sql", "-- SPDX-License-Identifier: GPL-3.0-or-later\n"
                "-- no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS twice_a"
                " ON tf.twice (a);\n")
    migrated.good("migrate", *release.files())
    assert migrated.sql("SELECT indisvalid AND NOT indisunique FROM pg_index"
                        " WHERE indexrelid = 'tf.twice_a'::regclass") == "t"
    assert migrated.sql("SELECT count(*) FROM tf.migration WHERE version = 9000") == "1"


def test_a_table_in_use_delays_a_migration_and_does_not_fail_it(migrated, release, tmp_path):
    release.add("9000_alter_job.sql", "ALTER TABLE tf.job ADD COLUMN extra int;\n")
    with migrated.connect() as user:
        user.execute("BEGIN")
        user.execute("SELECT count(*) FROM tf.job")
        run = Process([program("testflinger-dbadmin"), "migrate", *release.files()],
                      tmp_path / "log", env=migrated.cluster.environment(migrated.name))
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database =" \
                f" (SELECT oid FROM pg_database WHERE datname = '{migrated.name}')"
        wait_for(lambda: migrated.sql(waits) != "0", what="the migration waits for the lock")
        # It gives up and lets others pass before it tries again.
        wait_for(lambda: migrated.sql("SET lock_timeout = '5s'; SELECT count(*) FROM tf.job")
                 == "0", what="a reader behind the migration")
        user.execute("COMMIT")
    assert run.popen.wait(120) == 0, run.tail()


def test_what_depends_on_the_functions_is_not_dropped(migrated, release):
    migrated.sql("CREATE VIEW public.mine AS SELECT * FROM api.check_schema()")
    messages = migrated.refused("migrate", "--reinstall", *release.files())
    assert "check_schema" in messages
    assert migrated.sql("SELECT count(*) FROM public.mine") == "1"


def test_an_error_in_a_function_names_file_and_line(migrated, release):
    path = release.sql / "functions" / "service" / "check_schema.sql"
    path.write_text("-- nothing\n\nCREATE FUNCTION oops;\n")
    messages = migrated.refused("migrate", *release.files())
    assert "check_schema.sql: line 3" in messages
    assert migrated.sql("SELECT count(*) FROM api.check_schema()") == "1"


def test_an_owner_who_is_no_superuser_can_migrate(cluster, release, empty):
    cluster.psql("DO $$ BEGIN CREATE ROLE plain_owner LOGIN CREATEROLE;"
                 " EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    cluster.psql(f'ALTER DATABASE "{empty.name}" OWNER TO plain_owner')
    empty.good("migrate", *release.files(), "--server-role-login", SERVER_LOGIN,
               user="plain_owner")
    assert empty.sql("SELECT count(*) FROM api.check_schema()", user=SERVER_LOGIN) == "1"


# --- roles ------------------------------------------------------------------------


def test_the_server_may_execute_the_interface_and_nothing_else(migrated):
    with migrated.connect(user=SERVER_LOGIN) as server:
        assert server.execute("SELECT version FROM api.check_schema()").fetchone()[0] >= 1
        for table in migrated.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'tf'").split():
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                server.execute(f"SELECT * FROM tf.{table}")
        for statement in ("SELECT tfx.reset_data()", "CREATE TABLE tf.mine (a int)",
                          "CREATE FUNCTION api.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                          "SET ROLE testflinger_owner"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                server.execute(statement)


def test_parameters_of_the_server_are_not_logged(migrated):
    with migrated.connect(user=SERVER_LOGIN) as server:
        assert server.execute("SHOW log_parameter_max_length").fetchone()[0] == "0"


# --- clients ----------------------------------------------------------------------


def row_of(database, client_id):
    for line in database.good("client", "list").splitlines():
        if line.split()[0] == client_id:
            return line
    return None


def test_a_client_is_added_listed_and_deleted(migrated):
    migrated.good("client", "add", "somebody", "--role", "manager", "--max-priority", "q=1=5",
                  "--max-priority", "*=2", "--max-reservation-time", "q=7200", given=SECRET + "\n")
    line = row_of(migrated, "somebody")
    assert "manager" in line and SECRET not in line and "$2" not in line
    row = migrated.sql("SELECT role, max_priority, max_reservation_time FROM tf.client"
                       " WHERE client_id = 'somebody'").split("|")
    assert row[0] == "manager"
    assert json.loads(row[1]) == {"q=1": 5, "*": 2} and json.loads(row[2]) == {"q": 7200}
    assert "somebody" in migrated.refused("client", "add", "somebody", given=SECRET)
    migrated.good("client", "delete", "somebody")
    assert row_of(migrated, "somebody") is None
    assert "somebody" in migrated.refused("client", "delete", "somebody")


def test_the_system_admin_is_managed_here(migrated):
    assert "admin" in row_of(migrated, "testflinger-admin")
    before = migrated.sql("SELECT secret_hash FROM tf.client WHERE client_id = 'testflinger-admin'")
    migrated.good("client", "set-secret", "testflinger-admin", given=SECRET)
    after = migrated.sql("SELECT secret_hash FROM tf.client WHERE client_id = 'testflinger-admin'")
    assert before != after and after.startswith("$2b$")
    migrated.good("client", "delete", "testflinger-admin")
    migrated.good("client", "add", "testflinger-admin", given=SECRET)
    assert migrated.sql("SELECT role FROM tf.client WHERE client_id = 'testflinger-admin'") \
        == "admin"


def test_a_new_secret_revokes_the_refresh_tokens(migrated):
    migrated.good("client", "refresh-token", "testflinger-admin")
    assert row_of(migrated, "testflinger-admin").split()[2] == "1"
    migrated.good("client", "set-secret", "testflinger-admin", "--generate")
    assert row_of(migrated, "testflinger-admin").split()[2] == "0"


def test_a_secret_can_be_made_or_come_from_a_file(migrated, tmp_path):
    made = migrated.good("client", "add", "made", "--generate").strip()
    assert len(made) == 40
    (tmp_path / "secret").write_text(SECRET + "\nsecond line\n")
    assert migrated.good("client", "add", "filed", "--secret-file", tmp_path / "secret") == ""
    assert "exclude" in migrated.refused("client", "add", "both", "--generate", "--secret-file",
                                         tmp_path / "secret")


@pytest.mark.parametrize("secret, why", [("14 characters.", "15 characters"), ("x" * 73, "72 bytes"),
                                         ("ä" * 37, "72 bytes"), ("", "no secret")])
def test_a_bad_secret_is_refused(migrated, secret, why):
    assert why in migrated.refused("client", "add", "bad", given=secret + "\n")
    assert row_of(migrated, "bad") is None


@pytest.mark.parametrize("arguments", [["--role", "king"], ["--max-priority", "q"],
                                       ["--max-priority", "q=high"], ["--max-priority", "=1"],
                                       ["--max-reservation-time", "q=-1"]])
def test_a_bad_permission_is_refused(migrated, arguments):
    migrated.refused("client", "add", "bad", *arguments, given=SECRET)
    assert row_of(migrated, "bad") is None


def test_an_unknown_client_gets_no_secret_and_no_token(migrated):
    assert "nobody" in migrated.refused("client", "set-secret", "nobody", given=SECRET)
    migrated.refused("client", "refresh-token", "nobody")


def test_a_refresh_token_is_printed_once_and_stored_as_its_hash(migrated):
    migrated.good("client", "add", "agent-1", "--role", "agent", given=SECRET)
    token = json.loads(migrated.good("client", "refresh-token", "agent-1", "--lifetime", "3600"))
    assert list(token) == ["refresh_token"] and len(token["refresh_token"]) == 48
    row = migrated.sql("SELECT encode(sha256, 'hex'), client_id, expires_at > now() + '59 min'"
                       " AND expires_at < now() + '61 min' FROM tf.refresh_token")
    assert row == f"{hashlib.sha256(token['refresh_token'].encode()).hexdigest()}|agent-1|t"
    migrated.refused("client", "refresh-token", "agent-1", "--lifetime", "0")


# --- upkeep -----------------------------------------------------------------------


def test_a_reset_keeps_the_system_admin_and_the_schema_only(migrated, release):
    migrated.good("client", "add", "somebody", given=SECRET)
    migrated.good("client", "refresh-token", "testflinger-admin")
    migrated.sql("INSERT INTO tf.advertised_queue VALUES ('q', 'a queue')")
    assert "--yes" in migrated.refused("reset")
    assert row_of(migrated, "somebody")
    migrated.good("reset", "--yes")
    assert migrated.sql("SELECT string_agg(client_id, ',') FROM tf.client") == "testflinger-admin"
    assert migrated.sql("SELECT count(*) FROM tf.advertised_queue") == "0"
    assert migrated.sql("SELECT count(*) FROM tf.refresh_token") == "0"
    assert migrated.run("status", *release.files())[0] == 0


def test_partitions_are_made_once(migrated):
    count = "SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"
    before = migrated.sql(count)
    migrated.good("partitions")
    assert migrated.sql(count) == before


def test_a_dump_can_be_restored(migrated, empty, release, tmp_path):
    migrated.sql("INSERT INTO tf.advertised_queue VALUES ('q', 'a queue')")
    dump = ["pg_dump", "--format=custom", "--file", tmp_path / "dump",
            migrated.cluster.conninfo(migrated.name)]
    subprocess.run(dump, check=True, timeout=120)
    restore = ["pg_restore", "--exit-on-error", "--dbname",
               empty.cluster.conninfo(empty.name), tmp_path / "dump"]
    subprocess.run(restore, check=True, timeout=120)
    assert empty.run("status", *release.files())[0] == 0
    empty.good("migrate", *release.files(), "--server-role-login", SERVER_LOGIN)
    queues = empty.sql("SELECT body FROM api.list_advertised_queues()", user=SERVER_LOGIN)
    assert json.loads(queues) == {"q": "a queue"}


def test_a_client_cannot_steer_the_terminal(migrated):
    migrated.sql("INSERT INTO tf.client (client_id) VALUES (E'evil\\x1b[2J')")
    assert "evil?[2J" in migrated.good("client", "list")


# --- command line -----------------------------------------------------------------


def test_a_database_without_schema_is_told_so(empty):
    assert "migrate" in empty.refused("client", "list") or \
        "does not exist" in empty.refused("client", "list")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["client"], ["client", "nonsense"],
                                       ["client", "add"], ["client", "add", "a", "b"],
                                       ["status", "--yes"], ["status", "--no-such-option"],
                                       ["status", "--database"]])
def test_a_command_line_that_makes_no_sense_ends_with_64(arguments):
    done = subprocess.run([program("testflinger-dbadmin"), *arguments], check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 64 and done.stdout == "" and done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["", "migrate", "status", "partitions", "reset", "client add",
                                     "client set-secret", "client list", "client delete",
                                     "client refresh-token", "lease-rule list", "lease-rule set",
                                     "queue-policy list", "queue-policy set",
                                     "queue-policy delete"])
def test_every_command_has_help(command):
    done = subprocess.run([program("testflinger-dbadmin"), *command.split(), "--help"], check=False,
                          timeout=60, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert f"Usage: testflinger-dbadmin {command}" in done.stdout


def test_lease_rules_are_listed_and_changed(migrated):
    assert "provision           15000" in migrated.good("lease-rule", "list")
    migrated.good("lease-rule", "set", "provision=20")
    migrated.good("lease-rule", "set", "undelivered_s=3")
    rules = {line.split()[0]: int(line.split()[1])
             for line in migrated.good("lease-rule", "list").splitlines()}
    assert rules["provision"] == 20 and rules["undelivered_s"] == 3


@pytest.mark.parametrize("rule", ["provision", "dance=1", "provision=0", "provision=x", "=1",
                                  "brake_percent=101"])
def test_a_lease_rule_without_sense_is_refused(migrated, rule):
    before = migrated.good("lease-rule", "list")
    assert rule.split("=")[0] in migrated.refused("lease-rule", "set", rule)
    assert migrated.good("lease-rule", "list") == before


def test_a_queue_gets_rules_of_its_own_and_loses_them(migrated):
    assert migrated.good("queue-policy", "list").count("\n") == 1
    migrated.good("queue-policy", "set", "lab", "--retry", "no", "--stop-after", "600")
    migrated.good("queue-policy", "set", "lab", "--lease-max", "60")
    assert migrated.good("queue-policy", "list").splitlines()[1].split() == ["no", "600", "60", "lab"]
    migrated.good("queue-policy", "set", "lab", "--retry", "yes")
    assert migrated.good("queue-policy", "list").splitlines()[1].split() == ["yes", "600", "60", "lab"]
    migrated.good("queue-policy", "delete", "lab")
    assert migrated.good("queue-policy", "list").count("\n") == 1


@pytest.mark.parametrize("options", [[], ["--retry", "maybe"], ["--stop-after", "1"],
                                     ["--stop-after", "x"], ["--lease-max", "4000"]])
def test_a_queue_policy_without_sense_is_refused(migrated, options):
    migrated.refused("queue-policy", "set", "lab", *options)
    assert migrated.good("queue-policy", "list").count("\n") == 1


def test_the_database_may_come_from_the_servers_configuration(migrated, tmp_path):
    conninfo = migrated.cluster.conninfo(migrated.name)
    (tmp_path / "server.conf").write_text(
        f'database = "{conninfo}";\njwt_key_file = "/not/read";\n')
    env = {name: value for name, value in os.environ.items() if name != "TESTFLINGER_DATABASE"}
    done = subprocess.run([program("testflinger-dbadmin"), "client", "list", "-c",
                           tmp_path / "server.conf"], check=False, timeout=60, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0 and "testflinger-admin" in done.stdout, done.stderr


def test_a_database_that_cannot_be_reached_is_an_error(tmp_path):
    done = subprocess.run([program("testflinger-dbadmin"), "client", "list", "--database",
                           f"host={tmp_path}"], check=False, timeout=60, stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == 1 and "cannot be reached" in done.stderr
