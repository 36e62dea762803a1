# SPDX-License-Identifier: GPL-3.0-or-later
"""Which indexes the statements inside the functions use on a grown database: 100,000 waiting and
1,000,000 ended jobs.  auto_explain reports every inner statement, as it was run, to the client."""
import json
import os
import pathlib
import subprocess
import uuid

import psycopg
import pytest

HERE = pathlib.Path(__file__).parent
WAITING, FINISHED = 100_000, 1_000_000
LARGE = {"job", "job_tag", "wait", "attempt", "event"}
TOKEN = "00000000-0000-7000-a000-000000000001"
EXPLAIN = {"log_min_duration": "0", "log_nested_statements": "on", "log_analyze": "on",
           "log_timing": "off", "log_buffers": "on", "log_format": "json"}


class Explained:
    """A session that remembers the scans of everything it ran, in functions too."""

    def __init__(self, conninfo):
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self.connection.execute("LOAD 'auto_explain'")
        for key, value in EXPLAIN.items():
            self.connection.execute(f"SET auto_explain.{key} = '{value}'")
        self.connection.execute("SET client_min_messages = log")
        self.connection.add_notice_handler(self._heard)
        self.scans = []
        self.conditions = []
        self.blocks = {}
        self.nodes = set()

    def _heard(self, notice):
        text = notice.message_primary
        if "plan:" in text:
            self._walk(json.loads(text[text.index("{"):])["Plan"])

    def _walk(self, node):
        table = node.get("Relation Name")
        if table:
            read = node.get("Shared Hit Blocks", 0) + node.get("Shared Read Blocks", 0)
            self.blocks[table] = self.blocks.get(table, 0) + read
        self.conditions.append(node.get("Index Cond", ""))
        self.nodes.add(node["Node Type"])
        if table and node.get("Actual Loops", 0) > 0 and "Scan" in node["Node Type"]:
            rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                    + node.get("Rows Removed by Index Recheck", 0))
            # a Bitmap Heap Scan was told by its index which rows to read
            by = node.get("Index Name") or node["Node Type"]
            self.scans.append((table, by, rows * node["Actual Loops"]))
        for child in node.get("Plans", []):
            self._walk(child)

    def run(self, sql, *params):
        """Runs it in a transaction that is rolled back; its rows.  The scans are in self.scans."""
        self.scans = []
        self.conditions = []
        self.blocks = {}
        self.nodes = set()
        with self.connection.transaction(force_rollback=True):
            return self.connection.execute(sql, params[0] if params and isinstance(params[0], dict) else params).fetchall()

    def scanned(self, table):
        """How one table was read: names of indexes, Seq Scan or other ways."""
        return {by for name, by, _ in self.scans if name == table}

    def rows(self):
        return sum(rows for _, _, rows in self.scans)

    def close(self):
        self.connection.close()


@pytest.fixture(scope="module")
def grown(cluster, template):
    name = cluster.clone(template)
    env = {**os.environ, "PGHOST": str(cluster.dir), "PGUSER": "postgres"}
    subprocess.run(["psql", "-X", "-q", "-v", f"waiting={WAITING}", "-v", f"finished={FINISHED}",
                    "-f", HERE / "lib" / "backlog.sql", name], check=True, env=env, timeout=300)
    yield name
    cluster.drop(name)


@pytest.fixture(scope="module")
def session(cluster, grown):
    explained = Explained(cluster.conninfo(grown))
    yield explained
    explained.close()


def request(agent, *queues, seen=None):
    return agent, "{" + ",".join(queues) + "}", seen


CLAIM = ("SELECT request, job_id, others FROM api.claim_jobs(%(agents)s, array_fill(%(token)s::uuid, %(size)s),"
         " array_fill(NULL::int, %(size)s), array_fill(NULL::text, %(size)s), %(lists)s, %(queues)s, %(seen)s, false)")


def claim(session, *requests):
    agents, queues, seen = zip(*requests)
    lists = list(dict.fromkeys(queues))
    return session.run(CLAIM, {"agents": list(agents), "token": TOKEN, "size": [len(agents)], "queues": lists,
                               "lists": [lists.index(one) + 1 for one in queues],
                               "seen": list(seen) if any(one is not None for one in seen) else None})


def job_id(number):
    return f"00000000-0000-7000-9000-{number:012x}"


def no_large_table_is_read_from_end_to_end(session):
    bad = [scan for scan in session.scans if scan[0] in LARGE and scan[1] == "Seq Scan"]
    assert not bad, bad
    return True


def test_a_claim_reads_the_heads_of_its_queues_only(session):
    assert len(claim(session, request("a", "queue1", "queue2", "none"))) == 1
    assert session.scanned("wait") == {"wait_pkey", "Tid Scan"}
    assert session.scanned("lease") <= {"lease_pkey", "lease_by_agent"}
    assert no_large_table_is_read_from_end_to_end(session)
    assert session.rows() < 40, session.scans


@pytest.mark.parametrize("count", [1, 16])
def test_claims_open_the_definitions_of_the_weeks_of_their_jobs_only(session, count):
    assert len(claim(session, *(request(f"a{n}", "queue1") for n in range(count)))) == count
    assert len([table for table in session.blocks if table.startswith("definition")]) == 1


@pytest.mark.parametrize("count", [16, 64])
def test_a_batch_reads_no_more_than_it_may_need(session, count):
    got = claim(session, *(request(f"a{n}", "queue1", "queue2", f"own{n}") for n in range(count)))
    assert len(got) == count
    assert session.scanned("wait") == {"wait_pkey", "Tid Scan"}
    assert no_large_table_is_read_from_end_to_end(session)
    assert session.rows() < 40 * count, session.scans


@pytest.mark.parametrize("count", [1, 16])
def test_an_empty_poll_reads_nothing(session, count):
    assert claim(session, *(request(f"a{n}", "none", f"own{n}") for n in range(count))) == []
    assert session.scanned("wait") == {"wait_pkey"}
    assert session.rows() == 0, session.scans


def test_a_position_counts_by_the_index(session):
    number = FINISHED + WAITING - 49  # the last but some of its queue
    ahead = session.run("SELECT position FROM api.get_job_position(%s)", job_id(number))[0][0]
    assert session.scanned("wait") == {"wait_pkey"}
    assert session.scanned("hold") <= {"hold_by_place", "hold_pkey"}
    assert session.scanned("job") == {"job_pkey"}
    assert 0 < ahead < WAITING / 50
    assert session.rows() <= ahead + 5, session.scans


LONG_QUEUE = """
    INSERT INTO tf.job (id, seq, week, queue, priority, attachments, secrets, sha256)
    SELECT ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, n, tfx.find_week(now()), q.name, 0,
           false, false, '\\x00'
    FROM generate_series(10, 40000) n CROSS JOIN LATERAL (SELECT CASE n WHEN 20 THEN 'short' ELSE 'long' END) q(name);
    INSERT INTO tf.wait (queue, nprio, seq, job_id, week) SELECT queue, -priority, seq, id, week FROM tf.job"""


def test_the_first_of_a_long_queue_reads_no_more_of_it(empty):
    with psycopg.connect(empty.connection.info.dsn, autocommit=True) as other:
        other.execute(LONG_QUEUE)
        other.execute("VACUUM ANALYZE tf.wait")
    for cost in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_index_scan_size"):
        empty.connection.execute(f"SET {cost} = 0")
    assert empty.run("SELECT position FROM api.get_job_position(%s)", job_id(15)) == [(5,)]
    assert empty.blocks["wait"] < 20, empty.blocks
    assert not {"Gather", "Gather Merge"} & empty.nodes, "to start workers takes longer than that"
    empty.run("SELECT body FROM api.get_job_status(%s, NULL)", job_id(15))
    assert empty.blocks["wait"] < 20, empty.blocks


def test_a_claim_beside_others_reads_no_further_than_the_next_queue(empty):
    """The heads of the long queue are in other hands, and behind the short one's only job there is more."""
    with psycopg.connect(empty.connection.info.dsn) as other:
        other.execute(LONG_QUEUE)
        other.commit()
        other.execute("SELECT FROM tf.wait WHERE queue = 'long' AND seq < 20 FOR UPDATE")
        got = claim(empty, request("a", "long", "short"))
        assert [job for _, job, _ in got] == [job_id(20)]
        assert empty.blocks["wait"] < 60, empty.blocks
        other.rollback()


STATEMENTS = {
    "submit": ("SELECT job_id FROM api.submit_job('{}', jsonb_build_object('new_id', %s::text,"
               " 'queue', 'queue1', 'sha256', '00'))", (TOKEN,)),
    "submit again": ("SELECT created FROM api.submit_job('{}', jsonb_build_object('id', %s::text,"
                     " 'queue', 'queue1', 'sha256', '00'))", (job_id(7),)),
    "definition": ("SELECT body FROM api.get_job(%s)", (job_id(FINISHED + 7),)),
    "result": ("SELECT job_state FROM api.read_result(%s, NULL, NULL)", (job_id(7),)),
    "result of a waiting job": ("SELECT job_state FROM api.read_result(%s, 'a', 'x')",
                                (job_id(FINISHED + 7),)),
    "cancel": ("SELECT api.cancel_job(%s, NULL)", (job_id(FINISHED + 7),)),
    "post": ("SELECT api.post_result(%s, 'a', NULL, '{\"test\": 0}', NULL, 'complete')",
             (job_id(FINISHED + 7),)),
    "late post": ("SELECT api.post_result(%s, 'agent7', NULL, '{\"test\": 0}', NULL, 'complete')",
                  (job_id(7),)),
    "log": ("SELECT api.post_log(%s, 'agent7', NULL, 'output', 'test', 1, now(), 'x')",
            (job_id(7),)),
    "phases": ("SELECT phase FROM api.list_log_phases(%s, 'output')", (job_id(7),)),
    "story": ("SELECT lines FROM api.read_timeline(%s, NULL, 100, NULL)", (job_id(7),)),
    "story of a waiting job": ("SELECT lines FROM api.read_timeline(%s, NULL, 100, NULL)",
                               (job_id(FINISHED + 7),)),
    "submit with a key": ("SELECT job_id FROM api.submit_job('{}', jsonb_build_object('new_id', %s::text,"
                          " 'queue', 'queue1', 'sha256', '00', 'key', 'k', 'key_sha256', '00'))", (TOKEN,)),
    "renewal": ("SELECT failure FROM api.renew_leases(ARRAY[%s]::uuid[], '{a}', '{NULL}')", (job_id(FINISHED + 7),)),
    "artifact": ("SELECT file_id FROM api.open_file(%s, 'artifact', 'agent7', NULL)", (job_id(7),)),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_concerns_one_job_reads_a_few_rows(session, name):
    sql, params = STATEMENTS[name]
    assert session.run(sql, *params) is not None
    assert no_large_table_is_read_from_end_to_end(session)
    assert session.rows() < 40, session.scans


def test_a_batch_of_submissions_reads_a_few_rows_for_each(session):
    facts = [{"new_id": str(uuid.uuid4()), "queue": f"queue{n % 60}", "sha256": "00", "hold": n % 4 == 0,
              "has_reservation": n % 5 == 0, **({"key": f"key {n}", "key_sha256": "00"} if n % 2 else {}),
              **({"tags": ["even"], "id": job_id(n + 1)} if n % 3 == 0 else {})} for n in range(64)]
    rows = session.run("SELECT failure FROM api.submit_jobs(array_fill('{}'::text, %s), %s)", [len(facts)],
                       json.dumps(facts))
    assert sum(failure is None for failure, in rows) == 42
    assert session.scanned("job") <= {"job_pkey"}
    assert no_large_table_is_read_from_end_to_end(session)
    assert session.rows() < 4 * len(facts), session.scans


@pytest.mark.parametrize("caller", [{}, {"client_id": "c"}])
def test_a_key_used_before_is_looked_up_with_its_owner(cluster, template, caller):
    """By the key alone the whole index would be read, whose first column is the owner."""
    name = cluster.clone(template)
    session = Explained(cluster.conninfo(name))
    facts = {"new_id": TOKEN, "queue": "q", "sha256": "00", "key": "k7", "key_sha256": "00", **caller}
    try:
        session.connection.execute("INSERT INTO tf.submission_key SELECT %s, 'k' || n, '\\x00', gen_random_uuid()"
                                   " FROM generate_series(1, 5000) n", (caller.get("client_id"),))
        session.connection.execute("ANALYZE tf.submission_key")
        assert session.run("SELECT created FROM api.submit_job('{}', %s)", json.dumps(facts)) == [(False,)]
    finally:
        session.close()
    used = [one for one in session.conditions if "key" in one]
    assert used and all("submitter" in one for one in used), session.conditions


def listed(session, **query):
    """How many jobs the first page of a list shows."""
    rows = session.run("SELECT json_array_length(('[' || body || ']')::json) FROM api.list_jobs(%s, NULL, NULL)",
                       json.dumps(query))
    assert no_large_table_is_read_from_end_to_end(session)
    return rows[0][0] or 0


# what is asked for, jobs shown, rows that may be read for each of them or for each job looked at
LISTS = {
    "newest": ({"limit": 100}, 100, 5 * 101),
    "of a queue": ({"limit": 100, "queue": "queue1"}, 100, 5 * 101),
    "unfinished": ({"limit": 100, "active": True}, 100, 7 * 5000),
    "of a tag": ({"limit": 100, "tags": ["tag1"]}, 100, 7 * 5000),
    "of two tags": ({"limit": 100, "tags": ["tag1", "tag2"]}, 100, 7 * 5000),
    "of both tags": ({"limit": 100, "tags": ["tag1", "even"], "all": True}, 0, 9 * 5000),
    "waiting": ({"limit": 100, "states": ["waiting"]}, 100, 7 * 5000),
    "cancelled": ({"limit": 100, "states": ["cancelled"]}, 0, 7 * 5001),
    "recent": ({"days": 7}, 1000, 5 * 1001 + 100),
    "recent of a queue": ({"days": 7, "queue": "queue1"}, 1000, 5 * 1001 + WAITING // 50 + 100),
    "recent of a tag": ({"days": 7, "tags": ["tag1"]}, 1000, 7 * 5000 + 100),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_page_of_jobs_reads_a_bounded_part(session, name):
    query, shown, rows = LISTS[name]
    assert listed(session, **query) == shown
    assert session.rows() <= rows, (session.rows(), session.scans[:20])


def test_pages_planned_while_the_tables_were_empty_stay_bounded(cluster, template):
    name = cluster.clone(template)
    session = Explained(cluster.conninfo(name))
    try:
        session.connection.execute("VACUUM ANALYZE")
        for query, _, _ in [*LISTS.values()] * 8:
            listed(session, **query)
        with psycopg.connect(cluster.conninfo(name), autocommit=True) as other:
            other.execute("SELECT count(*) FROM generate_series(1, 3000) n, api.submit_job('{}', jsonb_build_object("
                          "'new_id', gen_random_uuid(), 'queue', 'queue' || n % 2, 'sha256', '00',"
                          " 'tags', jsonb_build_array('tag' || n % 2)))")
        for query, _, rows in LISTS.values():
            listed(session, **query)
            assert session.rows() <= rows, (query, session.scans[:20])
    finally:
        session.close()
        cluster.drop(name)


@pytest.mark.parametrize("queues", [["queue1"], ["none", "queue1", "queue2"], ["none"]])
def test_a_claim_that_waits_reads_a_few_rows(session, queues):
    rows = claim(session, request("waiter", *queues, seen=""))
    assert rows[0][2] is (queues != ["none"]) and (rows[0][1] is not None) is (queues != ["none"])
    assert no_large_table_is_read_from_end_to_end(session)
    assert session.rows() < 60, session.scans


@pytest.mark.parametrize("grown_first", [False, True])
def test_what_is_due_is_found_by_its_age(empty, grown_first):
    """Not by reading all files and tokens there are."""
    for task in ["sweep_files", "purge_refresh_tokens"] * (0 if grown_first else 8):
        empty.run(f"SELECT tfx.{task}(500)")
    with psycopg.connect(empty.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT tfx.add_client('c', '{}')")
        other.execute("INSERT INTO tf.refresh_token (sha256, client_id, expires_at)"
                      " SELECT sha256(n::text::bytea), 'c', now() FROM generate_series(1, 5000) n")
        other.execute("INSERT INTO tf.file (week, id, job_id, attempt, kind, state, ended_at)"
                      " SELECT tfx.find_week(now()), gen_random_uuid(), gen_random_uuid(), 1, 'artifact', 'complete',"
                      " now() - interval '3 days' FROM generate_series(1, 5000)")
        other.execute("UPDATE tf.refresh_token SET last_used = now() - interval '91 days' WHERE sha256 IN"
                      " (SELECT sha256 FROM tf.refresh_token LIMIT 3)")
        other.execute("UPDATE tf.file SET state = 'replaced' WHERE id IN (SELECT id FROM tf.file LIMIT 3)")
        other.execute("UPDATE tf.file SET state = 'open', created_at = ended_at WHERE id IN"
                      " (SELECT id FROM tf.file WHERE state = 'complete' LIMIT 3)")
        if grown_first:
            other.execute("VACUUM ANALYZE")
    for task, due in (("sweep_files", 6), ("purge_refresh_tokens", 3)):
        assert empty.run(f"SELECT tfx.{task}(500)") == [(due,)]
        assert empty.rows() < 60, (task, empty.scans)


@pytest.fixture
def empty(cluster, template):
    """A session whose plans can be made while all tables are empty, and known to be."""
    name = cluster.clone(template)
    session = Explained(cluster.conninfo(name))
    session.connection.execute("VACUUM ANALYZE")
    yield session
    session.close()
    cluster.drop(name)


def fill(session):
    """2,000 waiting jobs from elsewhere, without telling the planner."""
    with psycopg.connect(session.connection.info.dsn, autocommit=True) as other:
        other.execute(
            "SELECT count(*) FROM generate_series(1, 2000) n, api.submit_job('{}',"
            " jsonb_build_object('id', '00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'),"
            " 'queue', 'q' || n % 10, 'sha256', '00'))")


def test_plans_of_claims_made_while_the_tables_were_empty_stay_good(empty):
    for _ in range(8):
        claim(empty, request("a", "q1", "r"))
        claim(empty, request("a", "q1", "r"), request("b", "q1"))
    fill(empty)
    assert len(claim(empty, request("a", "q1", "r"))) == 1
    assert empty.rows() < 40, empty.scans
    assert len(claim(empty, request("a", "q1", "r"), request("b", "q1"))) == 2
    assert empty.rows() < 80, empty.scans


def test_plans_made_while_the_tables_were_empty_stay_good(empty):
    for sql, params in [*STATEMENTS.values()] * 8:
        try:
            empty.run(sql, *params)
        except psycopg.Error as error:
            assert error.sqlstate.startswith("TF"), error
    fill(empty)
    bad = {}
    for name, (sql, params) in STATEMENTS.items():
        empty.run(sql, TOKEN if params == (TOKEN,) else job_id(1500))
        if empty.rows() >= 40:
            bad[name] = [scan for scan in empty.scans if scan[2] > 5]
    assert not bad, bad


def test_a_job_that_ends_is_found_by_its_id_however_many_have_not(empty):
    life = ("SELECT api.post_result(s.job_id::uuid, 'a', NULL, '{\"test\": 0}', NULL, 'complete') FROM"
            " api.submit_job('{}', jsonb_build_object('new_id', gen_random_uuid(), 'queue', 'q1', 'sha256', '00')) s")
    for _ in range(8):
        empty.run(life)
    fill(empty)
    empty.run(life)
    assert empty.rows() < 60, empty.scans


# n agents claim a job each, post that a phase is over and a second one begins, and that the job has ended
LIVES = ("WITH c AS MATERIALIZED (SELECT array_agg(job_id::uuid) AS ids, array_agg('a' || request) AS agents,"
         "                        array_agg(NULL::text) AS nothing, count(*)::int AS size"
         "                 FROM api.claim_jobs(%(agents)s, array_fill(gen_random_uuid(), %(size)s),"
         "                     array_fill(NULL::int, %(size)s), array_fill(NULL::text, %(size)s),"
         "                     array_fill(1, %(size)s), ARRAY['{q1,queue1,queue2}'], NULL, false)),"
         " p AS MATERIALIZED (SELECT count(r) AS undone FROM c CROSS JOIN LATERAL api.post_results(ids, agents, nothing,"
         "                   array_fill('{\"setup\": 0}'::text, ARRAY[size]), nothing, array_fill('test'::text, ARRAY[size]), nothing) r)"
         " SELECT size, undone, (SELECT count(r) FROM api.post_results(ids, agents, nothing, nothing, nothing,"
         "     array_fill(CASE undone WHEN 0 THEN 'complete' END, ARRAY[size]), nothing) r) FROM c CROSS JOIN p")


def lives(session, count):
    """The rows that count lives read, most of them for claims."""
    assert session.run(LIVES, {"agents": [f"a{n}" for n in range(count)], "size": [count]}) == [(count, 0, 0)]
    assert no_large_table_is_read_from_end_to_end(session)
    return session.rows()


def test_results_posted_together_read_a_few_rows_for_each(session):
    assert lives(session, 64) < 64 * 60, session.scans


def test_plans_of_posts_made_while_the_tables_were_empty_stay_good(empty):
    submit = ("SELECT FROM api.submit_job('{}', jsonb_build_object('new_id', gen_random_uuid(), 'queue', 'q1',"
              " 'sha256', '00'))")
    with psycopg.connect(empty.connection.info.dsn, autocommit=True) as other:
        for _ in range(5):
            other.execute(submit)
    for _ in range(8):
        lives(empty, 2)
        lives(empty, 5)
    fill(empty)
    with psycopg.connect(empty.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT count(*) FROM api.claim_jobs(ARRAY(SELECT 'b' || n FROM generate_series(1, 1000) n),"
                      " array_fill(gen_random_uuid(), '{1000}'), array_fill(NULL::int, '{1000}'),"
                      " array_fill(NULL::text, '{1000}'), array_fill(1, '{1000}'),"
                      " ARRAY['{q2,q3,q4,q5,q6,q7,q8}'], NULL, false)")
    assert lives(empty, 2) < 2 * 80, empty.scans
    assert lives(empty, 5) < 5 * 80, empty.scans


def test_the_grown_database_has_the_same_schema(cluster, database, grown):
    sql = ("SELECT string_agg(indexdef, E'\\n' ORDER BY indexdef) FROM pg_indexes"
           " WHERE schemaname = 'tf'")
    assert cluster.psql(sql, grown) == cluster.psql(sql, database)
    sql = ("SELECT string_agg(conrelid::regclass || ' ' || pg_get_constraintdef(oid), E'\\n'"
           " ORDER BY conrelid::regclass::text, pg_get_constraintdef(oid)) FROM pg_constraint"
           " WHERE connamespace = 'tf'::regnamespace")
    assert cluster.psql(sql, grown) == cluster.psql(sql, database)
