# SPDX-License-Identifier: GPL-3.0-or-later
"""What the database says after a measurement: nothing lost, nothing twice."""

TWICE = "SELECT count(*) FROM (SELECT job_id FROM tf.attempt GROUP BY job_id HAVING count(*) > 1) t"
LOST = ("SELECT count(*) FROM tf.job j WHERE j.final_state IS NULL"
        " AND NOT EXISTS (SELECT FROM tf.lease l WHERE l.job_id = j.id)"
        " AND NOT EXISTS (SELECT FROM tf.wait w WHERE w.job_id = j.id)"
        " AND NOT EXISTS (SELECT FROM tf.hold h WHERE h.job_id = j.id)")


class Count:
    """Compares, and collects what differs."""

    def __init__(self, figures, item, lab):
        self.figures, self.item, self.lab = figures, item, lab

    def equal(self, what, seen, expected):
        if seen != expected:
            self.figures.wrong.append((self.item, f"{what}: {seen}, not {expected}"))

    def nothing_unexpected(self, report, /, **expected):
        for what, count in report.unexpected(**expected).items():
            self.figures.wrong.append((self.item, f"{count} answers \"{what}\""))

    def jobs(self, submitted):
        self.equal("jobs in the database", self.lab.value("SELECT count(*) FROM tf.job"), submitted)
        self.equal("jobs that are nowhere", self.lab.value(LOST), 0)

    def claims(self, claimed):
        """Every claim that was answered is one attempt, and no job has two."""
        self.equal("attempts", self.lab.value("SELECT count(*) FROM tf.attempt"), claimed)
        self.equal("jobs handed out twice", self.lab.value(TWICE), 0)

    def ended(self, completed):
        self.equal("jobs that ended", self.lab.value(
            "SELECT count(*) FROM tf.job WHERE final_state IS NOT NULL"), completed)
