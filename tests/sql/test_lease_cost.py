# SPDX-License-Identifier: GPL-3.0-or-later
"""What 10,000 leases cost: renewals touch no index, and looking for dead ones is one short read."""
import psycopg
import pytest

from leases import add_leases

LEASES = 10_000
STATS = ("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_get_xact_tuples_updated('tf.lease'::regclass) u(n_tup_upd),"
         " pg_stat_get_xact_tuples_hot_updated('tf.lease'::regclass) h(n_tup_hot_upd)")


@pytest.fixture(name="leases", scope="module")
def database_with_leases(cluster, database):
    """A session on 10,000 leases of 60 s."""
    with psycopg.connect(cluster.conninfo(database), autocommit=True) as session:
        for _ in range(8):  # plans that are made while the table is empty
            session.execute("SELECT FROM api.renew_leases(ARRAY[gen_random_uuid()], '{a}', '{NULL}')")
        add_leases(session, LEASES, 60)
        yield session


RENEW = {
    "one by one": "SELECT count(*) FROM (SELECT * FROM tf.lease ORDER BY job_id LIMIT 2000) l,"
                  " api.renew_lease(l.job_id, l.agent, l.token::text)",
    "together": "SELECT count(*) FROM (SELECT n, array_agg(job_id) ids, array_agg(agent) agents,"
                " array_agg(token::text) tokens FROM (SELECT row_number() OVER (ORDER BY job_id) / 50 n, *"
                " FROM tf.lease ORDER BY job_id LIMIT 2000) s GROUP BY n) l,"
                " api.renew_leases(l.ids, l.agents, l.tokens)",
}


@pytest.mark.parametrize("how", RENEW)
def test_renewals_stay_off_the_indexes(leases, how):
    for turn in range(6):  # each in a transaction of its own, as requests are
        with leases.transaction():
            before = leases.execute(STATS).fetchone()
            assert leases.execute(RENEW[how]).fetchone() == (2000,)
            updated, hot = (after - was for after, was in zip(leases.execute(STATS).fetchone(), before))
        assert updated == 2000
        assert hot > 0.99 * updated, (turn, updated, hot)


def test_renewals_that_are_made_together_read_the_rows_they_are_about(leases):
    ids, agents, tokens = leases.execute(
        "SELECT array_agg(job_id), array_agg(agent), array_agg(token::text)"
        " FROM (SELECT * FROM tf.lease ORDER BY job_id DESC LIMIT 50) l").fetchone()
    read = ("SELECT pg_stat_get_xact_tuples_returned('tf.lease'::regclass),"
            " pg_stat_get_xact_blocks_fetched('tf.lease'::regclass)")
    with leases.transaction(force_rollback=True):
        before = leases.execute(read).fetchone()
        done = leases.execute("SELECT count(*) FROM api.renew_leases(%s, %s, %s) WHERE failure IS NULL",
                              (ids, agents, tokens)).fetchone()
        rows, blocks = (now - was for now, was in zip(leases.execute(read).fetchone(), before))
    assert done == (50,)
    assert rows == 0, "nothing is read from end to end"
    assert blocks <= 8 * 50, "the old and the new version of each row"


def test_signs_of_life_with_more_than_two_thirds_left_write_nothing(leases):
    with leases.transaction(force_rollback=True):
        before = leases.execute(STATS).fetchone()
        leases.execute("SELECT count(*) FROM (SELECT * FROM tf.lease LIMIT 500) l,"
                       " api.touch_job(l.job_id, l.agent, l.token::text)")
        assert leases.execute(STATS).fetchone() == before


def test_looking_for_dead_leases_reads_the_table_once_each_and_writes_nothing(leases):
    pages = leases.execute("SELECT pg_relation_size('tf.lease') / 8192").fetchone()[0]
    hits = ("SELECT pg_stat_get_xact_blocks_fetched('tf.lease'::regclass),"
            " pg_stat_get_xact_tuples_updated('tf.lease'::regclass)")
    with leases.transaction(force_rollback=True):
        before = leases.execute(hits).fetchone()
        assert leases.execute("SELECT what FROM api.run_task('reap_leases', 0)").fetchall() == [("run",)]
        after = leases.execute(hits).fetchone()
    assert after[1] == before[1], "nothing was written"
    # lost ones, others, the count for the brake
    assert after[0] - before[0] <= 3 * pages + 10, (after, before, pages)
