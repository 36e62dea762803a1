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


# Two years of them, the ids as we make them: in the order of time.
FINISHED = """
WITH n AS MATERIALIZED (
    SELECT (lpad(to_hex(1600000000000 + i), 12, '0') || '70008' || substr(md5(i::text), 1, 15))::uuid AS id,
           nextval('tf.job_seq') AS seq, %(queue)s::text AS queue, 'agent-' || i %% 5000 AS agent,
           now() - interval '730 days' * (1 - i::float8 / %(total)s) - interval '1 hour' AS at
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
), job AS (
    INSERT INTO tf.job (id, seq, week, queue, priority, created_at, submitter, attachments, secrets, sha256,
                        final_state, outcome, agent, started_at, finished_at, attempts, exit_codes)
    SELECT n.id, n.seq, tfx.find_week(n.at), n.queue, 0, n.at, 'bench-user', false, false, sha256(uuid_send(n.id)),
           'complete', 'passed', n.agent, n.at, n.at + interval '10 min', 1, '{"test": 0}' FROM n
), attempt AS (
    INSERT INTO tf.attempt (job_id, attempt, week, agent, token, claimed_at, ended_at, reason)
    SELECT n.id, 1, tfx.find_week(n.at), n.agent, n.id, n.at, n.at + interval '10 min', 'complete' FROM n
)
INSERT INTO tf.event (job_id, attempt, at, event, from_state, to_state, who)
SELECT n.id, e.attempt, n.at + e.after, e.event, e.from_state, e.to_state, n.agent
FROM n CROSS JOIN (VALUES (0, interval '0', 'submit', 'new', 'waiting'), (1, '0', 'claim', 'waiting', 'running'),
                          (1, '10 min', 'complete', 'running', 'complete'))
    e(attempt, after, event, from_state, to_state)"""


def add_finished(lab, count, queue):
    for first in range(0, count, BATCH):
        lab.sql_named(FINISHED, first=first, last=min(first + BATCH, count) - 1, total=count, queue=queue)
    lab.sql("VACUUM ANALYZE tf.job, tf.attempt, tf.event")
    lab.sql("CHECKPOINT")
