# SPDX-License-Identifier: GPL-3.0-or-later
"""Periodic work of servers that share a database: done, by one of them at a time, and again after
an outage."""
import re

import psycopg
import pytest

from conftest import DATABASE
from programs import ROOT
from server import Server
from wait import wait_for

TASKS = set(re.findall(r'^TASK\(\w+, "(\w+)"', (ROOT / "server/tasks/tasks.def").read_text(),
                       re.M))


@pytest.fixture(name="pair", scope="module")
def two_servers(own, tmp_path_factory):
    made = [Server(own, DATABASE, tmp_path_factory.mktemp("tasks"), name, reap_period_ms=100,
                   upkeep_period_ms=200, statement_timeout_ms=2000, connect_timeout_s=2).start()
            for name in ("one", "two")]
    yield made
    for server in made:
        assert server.stop() == 0, server.process.tail()


def metric(servers, series, labels=""):
    """A counter, summed over the servers."""
    found = [re.search(rf"^{series}{re.escape(labels)} ([0-9.]+)$", server.get("/metrics").text, re.M)
             for server in servers]
    return sum(float(match.group(1)) for match in found)


def runs(servers, task="reap_leases", what="runs"):
    return metric(servers, f"testflinger_task_{what}_total", f'{{task="{task}"}}')


def ended(servers, reason):
    return metric(servers, "testflinger_leases_ended_total", f'{{reason="{reason}"}}')


def age_claims(own, count):
    """Claims that many jobs and lets the leases look two minutes old."""
    own.psql(f"SELECT count(*) FROM generate_series(1, {count}) n, api.submit_job('{{}}',"
             " jsonb_build_object('new_id', gen_random_uuid(), 'queue', 'q', 'sha256', '00', 'n', n))",
             DATABASE)
    own.psql(f"SELECT count(*) FROM generate_series(1, {count}) n, api.claim_jobs(ARRAY['a' || n],"
             " ARRAY[gen_random_uuid()], '{NULL}', '{NULL}', '{1}', ARRAY['{q}'], NULL, false)",
             DATABASE)
    own.psql("UPDATE tf.lease SET lease_until = now()", DATABASE)


def hold_claim(own, agent):
    """One claim nobody asks about."""
    own.psql(f"SELECT count(*) FROM api.claim_jobs('{{{agent}}}', ARRAY[gen_random_uuid()], '{{NULL}}', '{{NULL}}',"
             " '{1}', ARRAY['{q}'], NULL, false)", DATABASE)


def waiting(own):
    return int(own.psql("SELECT count(*) FROM tf.wait", DATABASE))


def test_every_task_is_done(pair, own):
    for task in TASKS:
        wait_for(lambda: runs(pair, task) > 0, what=f"{task} was done")
    assert set(own.psql("SELECT name FROM tf.task", DATABASE).split()) == TASKS
    assert runs(pair, "reap_leases", "seconds") > 0
    assert sum(runs(pair, task, "failures") for task in TASKS) == 0


def test_claims_nobody_asks_about_come_back_in_bounded_batches(pair, own):
    before = waiting(own)
    age_claims(own, 1200)
    wait_for(lambda: waiting(own) == before + 1200, what="all jobs wait again")
    wait_for(lambda: ended(pair, "undelivered") == 1200, what="each is counted once")
    most = own.psql("SELECT max(n) FROM (SELECT count(*) AS n FROM tf.event"
                    " WHERE event = 'undelivered' GROUP BY xmin::text) batch", DATABASE)
    assert int(most) <= 500


def test_servers_go_on_after_an_outage_and_complain_once(pair, own):
    outages = metric(pair, "testflinger_outages_total")
    hold_claim(own, "early")
    own.halt()
    wait_for(lambda: all(runs([server], what="failures") >= 3 for server in pair), what="failures")
    own.start()
    mark = runs(pair)
    wait_for(lambda: runs(pair) > mark + 2, what="leases are looked for again")
    assert metric(pair, "testflinger_outages_total") == outages + 1, "it is noticed once"
    left = own.psql("SELECT lease_until > now() + interval '1 min' FROM tf.lease", DATABASE)
    assert left.split() == ["t"], "the lease that was there lives for a while"
    for server in pair:
        wait_for(lambda: 'task=reap_leases text="works again"' in server.process.output(),
                 what="the server says that it works again")
        assert server.process.output().count("task=reap_leases error=") <= 2
    before = ended(pair, "undelivered")
    hold_claim(own, "late")
    own.psql("UPDATE tf.lease SET lease_until = now()", DATABASE)
    wait_for(lambda: ended(pair, "undelivered") == before + 2, what="both claims come back")


def test_who_holds_an_old_snapshot_is_named_and_does_no_harm(pair, own):
    """As if the snapshot were old at once."""
    own.psql("""DO $bug$ BEGIN EXECUTE replace(pg_get_functiondef('api.run_task'::regproc), 'rotate_hot(2000, 2,',
        'rotate_hot(2000, 0,'); END $bug$""", DATABASE)
    rewritten = metric(pair, "testflinger_hot_tables_rewritten_total")
    with psycopg.connect(own.conninfo(DATABASE), application_name="the holder") as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT count(*) FROM tf.job")
        own.psql("INSERT INTO tf.wait (queue, nprio, seq, job_id, week) SELECT 'dead', 0, n, gen_random_uuid(),"
                 " '2024-01-01' FROM generate_series(1, 4000) n; DELETE FROM tf.wait WHERE queue = 'dead'", DATABASE)
        wait_for(lambda: metric(pair, "testflinger_hot_tables_rewritten_total") > rewritten, what="a rewrite")
        wait_for(lambda: metric(pair[:1], "testflinger_dead_rows", '{table="wait"}') < 2000, what="few dead rows")
        wait_for(lambda: metric(pair[:1], "testflinger_oldest_snapshot_seconds") >= 1, what="a second")
        told = f"pid {holder.info.backend_pid}, application the holder, user postgres"
        wait_for(lambda: any(told in server.process.output() for server in pair), what="a warning")
        holder.rollback()


def test_a_server_without_a_database_stops_at_once(own, tmp_path):
    own.halt()
    made = Server(own, DATABASE, tmp_path, reap_period_ms=50).launch()
    try:
        wait_for(lambda: runs([made], what="failures") > 0, what="a failure")
        assert made.stop() == 0, made.process.tail()
    finally:
        own.start()
