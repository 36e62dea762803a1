# SPDX-License-Identifier: GPL-3.0-or-later
"""Many leases at once, without the claims that make them one by one."""


def add_leases(session, count, seconds, left="1 hour"):
    """So many running jobs in queue q, each with an agent of its own and a lease of so many seconds
    whose token is the job's id; left: until their end."""
    session.execute("SELECT tfx.shift_leases()")
    session.execute(
        "INSERT INTO tf.job (id, week, queue, priority, attachments, secrets, sha256)"
        " SELECT gen_random_uuid(), tfx.find_week(now()), 'q', 0, false, false, ''"
        " FROM generate_series(1, %s)", (count,))
    session.execute(
        "INSERT INTO tf.lease (job_id, queue, nprio, seq, week, attempt_week, attempt, lost, agent, token,"
        " lease_s, claimed_at, offered_at, confirmed, lease_until)"
        " SELECT id, queue, 0, seq, week, week, 1, 0, 'a' || seq, id, %s, now(), now(), now(),"
        " now() + %s::interval FROM tf.job", (seconds, left))
    session.execute("INSERT INTO tf.attempt (job_id, attempt, week, agent, token)"
                    " SELECT job_id, 1, week, agent, token FROM tf.lease")
    session.execute("VACUUM ANALYZE")
