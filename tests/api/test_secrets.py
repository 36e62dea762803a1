# SPDX-License-Identifier: GPL-3.0-or-later
"""PUT and DELETE /v1/secrets/{client}/{path...}; test_data.secrets from submission to claim;
testflinger-dbadmin secrets rotate-key."""
import base64
import os
import pathlib
import re
import subprocess
import threading

import pytest

from caller import Caller, assert_refused, new_name
from programs import program
from server import Server
from wait import wait_for

YEAR_S = 365 * 86400


def key_line(name):
    return f"{name} {base64.b64encode(os.urandom(32)).decode()}\n"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "seal-keys"
    path.write_text("# of the tests\n" + key_line("first"))
    return path


@pytest.fixture(scope="module")
def server(cluster, database, tmp_path_factory, key_file):
    made = Server(cluster, database, tmp_path_factory.mktemp("server"), bcrypt_cost=4,
                  log_level="debug", secrets_key_file=str(key_file)).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(name="bare", scope="module")
def server_without_a_store(cluster, database, tmp_path_factory):
    made = Server(cluster, database, tmp_path_factory.mktemp("bare"), bcrypt_cost=4).start()
    yield made
    assert made.stop() == 0, made.process.tail()


class Owner(Caller):
    """A client with secrets."""

    def __init__(self, server, role="contributor"):
        self.id = new_name(role)
        super().__init__(server, server.token(*server.add_client(self.id, role)))

    def path_of(self, path):
        return f"/v1/secrets/{self.id}/{path}"

    def write(self, path, value, **terms):
        """Returns when it expires."""
        reply = self.put(self.path_of(path), {"value": value, **terms})
        assert reply.status == 200, reply
        assert set(reply.json()) == {"expires_at"}
        return reply.json()["expires_at"]

    def forget(self, path):
        reply = self.delete(self.path_of(path))
        assert (reply.status, reply.text) == (200, "OK")

    def submit_with(self, queue, secrets, **fields):
        return self.submit(queue, test_data={"secrets": secrets}, **fields)


@pytest.fixture
def owner(server):
    return Owner(server)


def finish(agent, job):
    assert agent.post(f"/v1/result/{job}", {"job_state": "complete"}).status == 200


def secrets_of(job):
    return job["test_data"]["secrets"]


# writing

@pytest.mark.parametrize("terms, lifetime", [
    ({}, YEAR_S), ({"ephemeral": False}, YEAR_S), ({"ephemeral": "no"}, YEAR_S),
    ({"expire_after": 3600}, 3600), ({"expire_after": " 60 "}, 60),
    ({"expire_after": 3600, "ephemeral": False}, 3600), ({"expire_after": None}, None),
    ({"ephemeral": True}, None), ({"ephemeral": "yes", "expire_after": None}, None)])
def test_a_secret_expires_when_it_was_told_to(owner, cluster, database, terms, lifetime):
    told = owner.write("a/b-c/d_e/F9", "multi\nline \u2603", **terms)
    if lifetime is None:
        assert told is None
        return
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", told)
    left = cluster.psql(f"SELECT extract(epoch FROM '{told}'::timestamptz - now())", database)
    assert lifetime - 60 < float(left) <= lifetime


@pytest.mark.parametrize("path", ["a.b", "a%20b", "a/", "a//b", "/a", "%C3%A9", "a$b", "a%2F", "a%00b",
                                  "a" * 1001])
def test_a_path_is_names_between_slashes(owner, path):
    for reply in (owner.put(owner.path_of(path), {"value": "v"}), owner.delete(owner.path_of(path))):
        if "%00" in path:
            assert reply.status in (400, 404, 422), reply
        else:
            assert_refused(reply, 422)
    owner.write("a" * 1000, "v")


def test_nothing_is_no_path(owner):
    assert_refused(owner.put(owner.path_of(""), {"value": "v"}), 404)


@pytest.mark.parametrize("body, complaints", [
    ({}, {"value": True}), (None, {"value": True}), ({"value": ""}, {"value": True}),
    ({"value": None}, {"value": True}), ({"value": 5}, {"value": True}),
    ({"value": "v\0"}, {"value": True}), ({"value": "v" * (128 * 1024 + 1)}, {"value": True}),
    ({"value": "v", "expire_after": 0}, {"expire_after": True}),
    ({"value": "v", "expire_after": -1}, {"expire_after": True}),
    ({"value": "v", "expire_after": "soon"}, {"expire_after": True}),
    ({"value": "v", "expire_after": True}, {"expire_after": True}),
    ({"value": "v", "expire_after": 2**63 - 1}, {"expire_after": True}),
    ({"value": "v", "expire_after": 5, "ephemeral": True}, {"_schema": True}),
    ({"value": "v", "ephemeral": "perhaps"}, {"ephemeral": True}),
    ({"value": "v", "ephemeral": None}, {"ephemeral": True}),
    ({"value": "v", "x": 1}, {"x": True}), ([], {"_schema": True})])
def test_malformed_secrets(owner, body, complaints):
    assert_refused(owner.put(owner.path_of("k"), body), 422, complaints)
    # what is wrong with the body comes before whose it is
    assert_refused(owner.put("/v1/secrets/somebody/k", body), 422, complaints)


def test_the_longest_ones_are_kept(owner, agent, queue):
    for value in ("v" * (128 * 1024), "\u2603" * 40000, "\x01" * 100000):
        owner.write("k", value, expire_after=10**9)
        owner.submit_with(queue, {"K": "k"})
        assert secrets_of(agent.claim(queue)) == {"K": value}


def test_everybody_writes_their_own_only(owner, server, boss, manager, agent, anonymous):
    other = Owner(server)
    for caller, status in ((other, 403), (boss, 403), (manager, 403), (agent, 403), (anonymous, 401)):
        assert_refused(caller.put(owner.path_of("k"), {"value": "v"}), status)
        assert_refused(caller.delete(owner.path_of("k")), status)
    assert boss.put("/v1/secrets/testflinger-admin/k", {"value": "v"}).status == 200
    assert boss.delete("/v1/secrets/testflinger-admin/k").status == 200
    leader = Owner(server, "manager")
    leader.write("k", "v")
    worker = Owner(server, "agent")
    assert_refused(worker.put(worker.path_of("k"), {"value": "v"}), 403)


def test_they_cannot_be_read(owner):
    owner.write("k", "v")
    reply = owner.get(owner.path_of("k"))
    assert_refused(reply, 405)
    assert reply.headers["Allow"] == "DELETE, PUT, OPTIONS"


# in jobs

def test_paths_become_values_at_the_claim(owner, agent, queue):
    owner.write("team/a", "alpha")
    owner.write("team/b", "b\u00eata\n2", ephemeral=True)
    named = {"B": "team/b", "A": "team/a", "C": "team/b"}
    job = owner.submit(queue, test_data={"test_cmds": "x", "secrets": named})
    assert owner.get(f"/v1/job/{job}").json()["test_data"]["secrets"] == named
    claimed = agent.claim(queue)
    assert claimed["test_data"] == {"test_cmds": "x",
                                    "secrets": {"B": "b\u00eata\n2", "A": "alpha", "C": ""}}
    assert claimed["client_id"] == owner.id
    assert owner.get(f"/v1/job/{job}").json()["test_data"]["secrets"] == named
    reply = owner.post("/v1/job", {"job_queue": queue, "test_data": {"secrets": named}})
    assert "team/b" in assert_refused(reply, 422)["message"]


def test_all_paths_that_are_missing_are_listed(owner, server, anonymous, queue):
    owner.write("b", "v")
    job = {"job_queue": queue, "test_data": {"secrets": {"X": "z/z", "Y": "b", "Z": "/a//"}}}
    assert assert_refused(owner.post("/v1/job", job), 422)["message"].endswith(": /a//, z/z")
    assert assert_refused(Owner(server).post("/v1/job", job), 422)["message"].endswith(": /a//, b, z/z")
    assert_refused(anonymous.post("/v1/job", job), 422)


def test_a_job_that_cannot_be_given_its_secrets_waits_again(owner, agent, cluster, database, wakes, queue):
    owner.write("p", "v")
    job = owner.submit_with(queue, {"S": "p"})
    cluster.psql("UPDATE tf.definition SET body = '{\"test_data\": {\"secrets\": 5}}'"
                 f" WHERE job_id = '{job}'", database)
    assert_refused(agent.get(f"/v1/job?queue={queue}"), 500)
    status = owner.get(f"/v1/job/{job}/status").json()
    assert (status["job_state"], status["waits_for"], status["attempt"]) == ("waiting", "backoff", 1)
    assert agent.get(f"/v1/job?queue={queue}").status == 204, "not again and again"
    wait_for(lambda: wakes.heard("job", job))


def test_what_went_before_the_claim_is_empty(owner, agent, cluster, database, queue):
    for path in ("deleted", "expired", "changed"):
        owner.write(path, "old", expire_after=1000)
    owner.submit_with(queue, {"D": "deleted", "E": "expired", "C": "changed"})
    owner.forget("deleted")
    owner.write("changed", "new")
    cluster.psql("UPDATE tf.secret SET expires_at = now() WHERE path = 'expired'", database)
    assert secrets_of(agent.claim(queue)) == {"D": "", "E": "", "C": "new"}
    assert_refused(owner.post("/v1/job", {"job_queue": queue,
                                          "test_data": {"secrets": {"E": "expired"}}}), 422)


def test_no_secrets_is_a_list_too(owner, agent, queue):
    owner.submit_with(queue, {})
    claimed = agent.claim(queue)
    assert (secrets_of(claimed), claimed["client_id"]) == ({}, owner.id)
    owner.submit(queue, firmware_update_data={"secrets": {"A": "nope"}})
    claimed = agent.claim(queue)
    assert claimed["firmware_update_data"] == {"secrets": {"A": "nope"}}
    assert "client_id" not in claimed


def test_a_job_offered_again_has_the_same_values(owner, agent, cluster, database, queue):
    owner.write("once", "the first", ephemeral=True)
    job = owner.submit_with(queue, {"O": "once", "P": "once"})
    assert secrets_of(agent.claim(queue)) == {"O": "the first", "P": ""}
    owner.write("once", "the second", ephemeral=True)
    for _ in range(2):
        cluster.psql("UPDATE tf.lease SET offered_at = now() - interval '20 s' "
                     f"WHERE job_id = '{job}'", database)
        again = agent.claim(queue)
        assert (again["job_id"], secrets_of(again)) == (job, {"O": "the first", "P": ""})
    finish(agent, job)
    assert cluster.psql(f"SELECT count(*) FROM tf.secret WHERE job_id = '{job}'", database) == "0"
    owner.submit_with(queue, {"O": "once"})
    assert secrets_of(agent.claim(queue)) == {"O": "the second"}


def test_a_submission_may_be_repeated_when_its_secret_is_spent(owner, agent, queue):
    owner.write("once", "v", ephemeral=True)
    job = owner.submit_with(queue, {"O": "once"}, job_id="0198c0de-0000-7000-8000-0000000000aa")
    assert agent.claim(queue)
    assert owner.submit_with(queue, {"O": "once"}, job_id=job) == job


def test_two_jobs_race_for_a_single_use_secret(owner, agent, server, cluster, database, tmp_path,
                                               key_file):
    """Over two servers, with two secrets named crosswise: each goes to one job, nobody waits for
    the other for ever."""
    second = Server(cluster, database, tmp_path, "second", bcrypt_cost=4,
                    secrets_key_file=str(key_file)).start()
    queues = [new_name(), new_name()]
    agents = [agent.named("racer-1"), Caller(second, agent.auth, "racer-2")]
    for number in range(20):
        owner.write("x", f"x{number}", ephemeral=True)
        owner.write("y", f"y{number}", ephemeral=True)
        jobs = [owner.submit_with(queues[0], {"X": "x", "Y": "y"}),
                owner.submit_with(queues[1], {"Y": "y", "X": "x"})]
        start, claimed = threading.Barrier(2), [None, None]

        def claim(i, start=start, claimed=claimed):
            start.wait(30)
            claimed[i] = agents[i].claim(queues[i])

        threads = [threading.Thread(target=claim, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [job["job_id"] for job in claimed] == jobs
        for name, value in (("X", f"x{number}"), ("Y", f"y{number}")):
            assert sorted(secrets_of(job)[name] for job in claimed) == ["", value]
        for racer, job in zip(agents, jobs):
            finish(racer, job)
    assert second.stop() == 0, second.process.tail()


def test_the_secrets_of_a_deleted_client_go_with_it(owner, boss, server, cluster, database, queue):
    owner.write("k", "v")
    assert boss.delete(f"/v1/client-permissions/{owner.id}").status == 200
    assert cluster.psql(f"SELECT count(*) FROM tf.secret WHERE client_id = '{owner.id}'",
                        database) == "0"
    heir = Caller(server, server.token(*server.add_client(owner.id, "contributor")))
    assert_refused(heir.post("/v1/job", {"job_queue": queue, "test_data": {"secrets": {"K": "k"}}}), 422)


# where values must not be

def shapes_of(value):
    """The value in every spelling in which a log or a dump could have it."""
    data = value.encode()
    return [data, data.hex().encode(), data.hex().upper().encode(),
            *(base64.b64encode(b"." * shift + data)[4:-4] for shift in range(3))]


def test_values_are_in_no_log_and_no_dump(owner, agent, server, cluster, database, queue, key_file):
    value = "a-value-nobody-should-see-" + new_name()
    owner.write("lasting", value)
    owner.write("once", value, ephemeral=True)
    assert_refused(owner.put(owner.path_of("bad%20path"), {"value": value}), 422)
    assert_refused(owner.put(owner.path_of("k"), {"value": value, "ephemeral": value}), 422)
    assert_refused(owner.put("/v1/secrets/somebody/k", {"value": value}), 403)
    job = owner.submit_with(queue, {"L": "lasting", "O": "once"})
    assert secrets_of(agent.claim(queue)) == {"L": value, "O": value}
    dump = subprocess.run(["pg_dump", cluster.conninfo(database)], check=True, timeout=120,
                          stdout=subprocess.PIPE).stdout
    assert job.encode() in dump and b"lasting" in dump
    key = base64.b64decode(key_file.read_text().split()[-1])
    places = {"dump": dump, "log": (server.dir / "log").read_bytes(),
              "log of the database": (cluster.dir / "log").read_bytes()}
    assert b"secrets" in places["log"]
    for place, text in places.items():
        for shape in shapes_of(value) + [key, key.hex().encode(), base64.b64encode(key)]:
            assert shape not in text, f"{shape} in {place}"


def areas_not_dumped(pid):
    """How many small areas of memory are left out of core dumps; those of a sanitizer are huge."""
    areas = re.findall(r"^Size: +(\d+) kB.*?^VmFlags: ([^\n]*)$",
                       pathlib.Path(f"/proc/{pid}/smaps").read_text(), re.MULTILINE | re.DOTALL)
    return sum(int(kilobytes) < 64 and "dd" in flags.split() for kilobytes, flags in areas)


def test_the_keys_are_in_locked_memory(server, bare):
    """Locking also takes memory out of core dumps; the sanitizers leave out the locking alone."""
    of_process = pathlib.Path(f"/proc/{server.process.pid}")
    assert areas_not_dumped(server.process.pid) > areas_not_dumped(bare.process.pid)
    binary = pathlib.Path(program("testflinger-server")).read_bytes()
    if b"__asan_init" not in binary and b"__tsan_init" not in binary:
        locked = re.search(r"VmLck:\s+(\d+) kB", (of_process / "status").read_text())
        assert int(locked.group(1)) > 0


def test_what_was_moved_to_another_row_is_not_opened(owner, agent, server, cluster, database, queue):
    owner.write("mine", "v")
    thief = Owner(server)
    thief.write("theirs", "w")
    cluster.psql("UPDATE tf.secret t SET data_key = s.data_key, value = s.value FROM tf.secret s "
                 f"WHERE s.client_id = '{owner.id}' AND t.client_id = '{thief.id}'", database)
    thief.submit_with(queue, {"K": "theirs"})
    assert secrets_of(agent.claim(queue)) == {"K": ""}
    assert "could not be opened" in (server.dir / "log").read_text()


# without a store

def test_a_server_without_a_store_says_so(bare, owner, anonymous, agent, queue):
    for auth in (owner.auth, None):
        caller = Caller(bare, auth)
        assert_refused(caller.put(owner.path_of("k"), {"value": "v"}), 400)
        assert_refused(caller.put("/v1/secrets/somebody/bad path".replace(" ", "%20"), {"value": "v"}),
                       400)
        assert_refused(caller.delete(owner.path_of("k")), 400)
        assert_refused(caller.put(owner.path_of("k"), {}), 422, {"value": True})
        for secrets in ({"A": "a"}, {}):
            assert_refused(caller.post("/v1/job", {"job_queue": queue, "test_data": {"secrets": secrets}}),
                           422)
    assert_refused(Caller(bare, agent.auth).put(owner.path_of("k"), {"value": "v"}), 403)
    assert Caller(bare, owner.auth).submit(queue)


def test_it_hands_out_jobs_with_secrets_all_the_same(bare, owner, agent, queue):
    owner.write("k", "v")
    owner.submit_with(queue, {"K": "k"})
    assert secrets_of(Caller(bare, agent.auth, "dut-2").claim(queue)) == {"K": ""}


def test_a_bad_key_file_stops_the_start_and_shows_no_key(tmp_path, key_file):
    bad = tmp_path / "keys"
    key = key_file.read_text().split()[-1]
    bad.write_text(key + "\n")
    (tmp_path / "jwt").write_text("x" * 40)
    done = subprocess.run([program("testflinger-server"), "--check"], check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "TESTFLINGER_SECRETS_KEY_FILE": str(bad),
                               "TESTFLINGER_JWT_KEY_FILE": str(tmp_path / "jwt")})
    assert done.returncode == 1
    assert str(bad) in done.stdout and "line 1" in done.stdout and key not in done.stdout


# changing the master key

def rotate(cluster, database, *arguments):
    """(exit status, output, messages)"""
    done = subprocess.run([program("testflinger-dbadmin"), "secrets", "rotate-key", *arguments],
                          check=False, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env={**os.environ, **cluster.environment(database)})
    return done.returncode, done.stdout, done.stderr


def keys_in_use(cluster, database):
    rows = cluster.psql("SELECT key_id, count(*) FROM tf.secret GROUP BY 1 ORDER BY 1", database)
    return dict(row.split("|") for row in rows.splitlines())


def test_the_master_key_is_changed(cluster, template, tmp_path):
    database = cluster.clone(template)
    keys = tmp_path / "keys"
    old, new = key_line("old"), key_line("new")
    keys.write_text(old)
    server = Server(cluster, database, tmp_path, bcrypt_cost=4, secrets_key_file=str(keys)).start()
    owner = Owner(server)
    agent = Caller(server, server.token(*server.add_client("agent", "agent")), "dut")
    for number in range(205):
        owner.write(f"k/{number}", f"value {number}")
    owner.write("once", "spent", ephemeral=True)
    job = owner.submit_with("spent", {"O": "once"})
    assert secrets_of(agent.claim("spent")) == {"O": "spent"}

    assert rotate(cluster, database)[0] == 1
    assert rotate(cluster, database, "--key-file", tmp_path / "none")[0] == 1
    keys.write_text(new + old)
    server.stop()
    server.start()
    owner.write("k/0", "value of the new key")
    assert keys_in_use(cluster, database) == {"new": "1", "old": "205"}

    # one that cannot be opened does not stop the others, and is tried again
    cluster.psql("UPDATE tf.secret SET data_key = set_byte(data_key, 30, get_byte(data_key, 30) # 1) "
                 "WHERE path = 'k/7'", database)
    status, _, messages = rotate(cluster, database, "--key-file", keys)
    assert status == 1 and "1 secrets are left" in messages
    assert keys_in_use(cluster, database) == {"new": "205", "old": "1"}
    cluster.psql("UPDATE tf.secret SET data_key = set_byte(data_key, 30, get_byte(data_key, 30) # 1) "
                 "WHERE path = 'k/7'", database)
    status, out, messages = rotate(cluster, database, "-c", server.dir / "server.conf")
    assert status == 0, messages
    assert out == "1 secrets wrapped with key new\n"
    assert rotate(cluster, database, "--key-file", keys)[1] == "0 secrets wrapped with key new\n"
    assert new.split()[1] not in messages and old.split()[1] not in messages

    keys.write_text(new)
    server.stop()
    server.start()
    owner.submit_with("all", {f"K{number}": f"k/{number}" for number in range(205)})
    want = {f"K{number}": f"value {number}" for number in range(205)}
    assert secrets_of(agent.claim("all")) == {**want, "K0": "value of the new key"}
    cluster.psql("UPDATE tf.lease SET offered_at = now() - interval '20 s'", database)
    assert secrets_of(agent.claim("spent")) == {"O": "spent"}
    finish(agent, job)
    assert server.stop() == 0, server.process.tail()
    cluster.drop(database)
