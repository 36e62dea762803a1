# SPDX-License-Identifier: GPL-3.0-or-later
"""Many jobs at once, by the owner and straight into the tables: as if they had been submitted one by
one, without the time that takes."""

DEFINITION = ("""'{"job_queue": "' || n.queue || '", "provision_data": {"url": "http://images.test/image"}, '"""
              """ || '"test_data": {"test_cmds": "' || repeat('x', 700) || '"}}'""")

# %(queues)s: names, used in turn
WAITING = f"""
WITH n AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, nextval('tf.job_seq') AS seq, tfx.find_week(now()) AS week,
           (%(queues)s::text[])[1 + i %% cardinality(%(queues)s::text[])] AS queue
    FROM generate_series(1, %(count)s) i
), job AS (
    INSERT INTO tf.job (id, seq, week, queue, priority, submitter, attachments, secrets, sha256)
    SELECT n.id, n.seq, n.week, n.queue, 0, 'bench-user', false, false, sha256(uuid_send(n.id)) FROM n
), definition AS (
    INSERT INTO tf.definition (week, job_id, body) SELECT n.week, n.id, {DEFINITION} FROM n
), event AS (
    INSERT INTO tf.event (job_id, attempt, event, from_state, to_state, who)
    SELECT n.id, 0, 'submit', 'new', 'waiting', 'bench-user' FROM n
)
INSERT INTO tf.wait (queue, nprio, seq, job_id, week) SELECT n.queue, 0, n.seq, n.id, n.week FROM n"""

BATCH = 100_000


def add_waiting(lab, count, queues):
    for first in range(0, count, BATCH):
        lab.sql_named(WAITING, count=min(BATCH, count - first), queues=queues)
    lab.sql("VACUUM ANALYZE tf.job, tf.wait, tf.definition")
    lab.sql("CHECKPOINT")
