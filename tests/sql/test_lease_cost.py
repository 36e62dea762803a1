# SPDX-License-Identifier: GPL-3.0-or-later
"""What 10,000 leases cost: renewals touch no index, and looking for dead ones is one short read."""
import psycopg
import pytest

LEASES = 10_000
STATS = ("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_get_xact_tuples_updated('tf.lease'::regclass) u(n_tup_upd),"
         " pg_stat_get_xact_tuples_hot_updated('tf.lease'::regclass) h(n_tup_hot_upd)")


@pytest.fixture(name="leases", scope="module")
def database_with_leases(cluster, database):
    """A session on 10,000 leases of 60 s with half of them left."""
    with psycopg.connect(cluster.conninfo(database), autocommit=True) as session:
        session.execute("SELECT tfx.shift_leases()")
        session.execute(
            "INSERT INTO tf.job (id, week, queue, priority, attachments, secrets, sha256)"
            " SELECT gen_random_uuid(), tfx.find_week(now()), 'q', 0, false, false, ''"
            " FROM generate_series(1, %s)", (LEASES,))
        session.execute(
            "INSERT INTO tf.lease (job_id, queue, nprio, seq, week, attempt_week, attempt, lost, agent, token,"
            " lease_s, claimed_at, offered_at, confirmed, lease_until)"
            " SELECT id, queue, 0, seq, week, week, 1, 0, 'a' || seq, id, 60, now(), now(), now(),"
            " now() + interval '1 hour' FROM tf.job")
        session.execute("INSERT INTO tf.attempt (job_id, attempt, week, agent, token)"
                        " SELECT job_id, 1, week, agent, token FROM tf.lease")
        session.execute("VACUUM ANALYZE")
        yield session


def test_renewals_stay_off_the_indexes(leases):
    for turn in range(6):  # each in a transaction of its own, as requests are
        with leases.transaction():
            before = leases.execute(STATS).fetchone()
            leases.execute("SELECT count(*) FROM (SELECT * FROM tf.lease ORDER BY job_id LIMIT 2000) l,"
                           " api.renew_lease(l.job_id, l.agent, l.token::text)")
            updated, hot = (after - was for after, was in zip(leases.execute(STATS).fetchone(), before))
        assert updated == 2000
        assert hot > 0.99 * updated, (turn, updated, hot)


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
