# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that are rewritten or divided while they are used, and what one server does for all."""
import re

import psycopg
import pytest

from race import ACTIONS, Case, STATES, claim, submit
from session import Call
from wait import wait_for

pytestmark = pytest.mark.usefixtures("rules")


def test_partitions_are_made_once(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    assert Call(one, "SELECT tfx.make_partitions(6)", (), quiet).result() == [(10,)]
    call = Call(two, "SELECT tfx.make_partitions(6)", (), quiet)
    assert not call.settle(), "the second waits for the first"
    one.commit()
    assert call.result() == [(0,)]


REWRITE = "SELECT tfx.rewrite_table('tf.{0}', %s, NULL::tf.{0}[])"


@pytest.mark.parametrize("table", ["hold", "wait", "lease", "queue_count"])
def test_a_table_is_not_rewritten_while_somebody_uses_it(connect, table):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    one.execute(f"LOCK TABLE tf.{table} IN ACCESS SHARE MODE")
    assert two.execute(REWRITE.format(table), ("10 ms",)).fetchone() == (False,)
    assert Call(one, f"LOCK TABLE tf.{table} IN ROW EXCLUSIVE MODE; SELECT 1", None, quiet).settle(), "it has let go"
    one.rollback()
    two.rollback()
    assert two.execute(REWRITE.format(table), ("10 s",)).fetchone() == (True,)
    two.rollback()


def test_who_uses_a_table_for_long_is_not_waited_for(connect):
    """Others would wait behind us for nothing, each time."""
    quiet, one, two = connect(autocommit=True), connect(), connect()
    one.execute("LOCK TABLE tf.wait IN ACCESS SHARE MODE")
    wait_for(lambda: quiet.execute("SELECT clock_timestamp() - xact_start > interval '1 s' FROM pg_stat_activity"
                                   " WHERE pid = %s", (one.info.backend_pid,)).fetchone()[0], 30, "a long transaction")
    assert Call(two, REWRITE.format("wait"), ("1 h",), quiet).settle(), "it does not wait"
    two.rollback()


@pytest.mark.parametrize("ending", ["commit", "rollback"])
@pytest.mark.parametrize("second", ["claim", "cancel", "ready", "late result", "failure", "expire", "release",
                                    "reaper", "renew", "read", "return"])
def test_what_is_done_while_a_table_is_rewritten_is_as_if_it_was_not(connect, alone, second, ending):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    for table in ("hold", "wait", "lease", "queue_count"):
        for state in STATES:
            case = Case(quiet, state)
            assert one.execute(REWRITE.format(table), ("1 min",)).fetchone() == (True,)
            call = Call(two, ACTIONS[second], case.values, quiet)
            call.settle()
            getattr(one, ending)()
            call.result()
            assert call.refused_or_done(), call.error
            two.commit()
            assert case.observe() == alone(state, second), f"{table}, {state}"
            case.remove()


def test_submissions_and_the_order_of_claims_survive_a_rewrite(connect):
    quiet, one, two = connect(autocommit=True), connect(), connect()
    for priority in (0, 5, 3):
        submit(quiet, 2, "rewritten", priority)
    assert one.execute(REWRITE.format("wait"), ("1 min",)).fetchone() == (True,)
    call = Call(two, "SELECT created FROM api.submit_job('{}', jsonb_build_object('new_id', gen_random_uuid(), 'queue',"
                " 'rewritten', 'sha256', '00', 'priority', 4, 'authenticated', true, 'max_priority', 9))", None, quiet)
    assert not call.settle(), "the submission waits"
    one.commit()
    assert call.result() == [(True,)]
    two.commit()
    assert claim(quiet, [f"r{n}" for n in range(9)], ["rewritten"]) == [5, 5, 4, 3, 3, 0, 0]


def churn(session, rows):
    """Leaves so many dead rows in tf.wait, and waits until that is known."""
    known = "SELECT pg_stat_get_dead_tuples('tf.wait'::regclass)"
    before = session.execute(known).fetchone()[0]
    session.execute("INSERT INTO tf.wait (queue, nprio, seq, job_id, week) SELECT 'dead', 0, n, gen_random_uuid(),"
                    " '2024-01-01' FROM generate_series(1, %s) n", (rows,))
    session.execute("DELETE FROM tf.wait WHERE queue = 'dead'")
    session.execute("SELECT pg_stat_force_next_flush()")
    wait_for(lambda: session.execute(known).fetchone()[0] >= before + rows, 30, "dead rows are known")


def test_hot_tables_are_rewritten_while_somebody_holds_an_old_snapshot(connect):
    quiet, holder = connect(autocommit=True), connect()
    submit(quiet, 3, "kept")
    run = "SELECT what, count, kind, name FROM tfx.rotate_hot(2000, 0, '10 s')"
    quiet.execute("INSERT INTO tf.task VALUES ('rotate_hot', now())")
    holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    holder.execute("SET application_name = 'the one'")
    holder.execute("SELECT count(*) FROM tf.job")
    assert quiet.execute(run).fetchall() == [], "there are no dead rows"
    churn(quiet, 3000)
    quiet.execute("VACUUM tf.wait")
    size = "SELECT pg_relation_size('tf.wait')"
    before = quiet.execute(size).fetchone()[0]
    done = quiet.execute(run).fetchall()
    assert done[:2] == [("rotate_hot", 1, None, None), ("more", 1, None, None)]
    assert done[2][:3] == ("rotate_hot", 1, "warning")
    assert re.fullmatch("dead rows pile up in tf.wait, since an old snapshot is held:"
                        f" pid {holder.info.backend_pid}, application the one, user postgres, for \\d+ s", done[2][3])
    assert quiet.execute(size).fetchone()[0] < before / 2, "now they are gone"
    assert claim(quiet, ["k1", "k2", "k3", "k4"], ["kept"]) == [0, 0, 0]
    assert quiet.execute(run).fetchall() == [], "once is enough"
    churn(quiet, 3000)
    assert [row[2] for row in quiet.execute(run).fetchall()] == [None, None], "it is not told each time"
    holder.rollback()
    churn(quiet, 3000)
    assert quiet.execute(run).fetchall() == [], "without the snapshot they are left to VACUUM"


def test_an_owner_added_while_the_last_one_goes_is_an_owner(connect):
    """Removing the last owner lifts the restriction, unless another one is being added."""
    first, second, watcher = connect(), connect(autocommit=True), connect(autocommit=True)
    watcher.execute("SELECT tfx.store_client('c1', '{}'), tfx.store_client('c2', '{}'),"
                    " api.post_agent('x', '{\"queues\": [\"raced\"]}', NULL)")
    watcher.execute("SELECT api.add_queue_owner('raced', 'c1')")
    first.execute("SELECT api.remove_queue_owner('raced', 'c1')")
    call = Call(second, "SELECT api.add_queue_owner('raced', 'c2')", (), watcher)
    assert not call.settle()
    first.commit()
    call.result()
    assert call.error is None
    assert watcher.execute("SELECT body::jsonb ->> 'owners' FROM api.get_restricted_queue('raced')"
                           ).fetchone() == ('["c2"]',)


def test_a_task_is_done_by_one_server_at_a_time(connect):
    one, two = connect(), connect()
    run = "SELECT what FROM api.run_task('purge_secrets', %s)"
    assert one.execute(run, (60000,)).fetchall() == [("run",)]
    assert two.execute(run, (0,)).fetchall() == [], "somebody is at it, and nobody waits"
    one.commit()
    assert two.execute(run, (60000,)).fetchall() == [], "it was done a moment ago"
    assert two.execute(run, (0,)).fetchall() == [("run",)]
    two.rollback()
