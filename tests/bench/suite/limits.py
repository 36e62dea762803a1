# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of each figure: of its ratio, or of its value where there is none to compare with."""


class Limit:
    def __init__(self, sign, bound):
        self.sign, self.bound = sign, bound

    def holds(self, value):
        return value >= self.bound if self.sign == ">=" else value <= self.bound

    def __str__(self):
        return f"{self.sign} {self.bound:g}"


def least(bound):
    return Limit(">=", bound)


def most(bound):
    return Limit("<=", bound)


LIMITS = {
    ("empty", "one shared list / pgbench"): least(1.0),
    ("empty", "one shared list / bare libmicrohttpd"): least(0.4),
    ("empty", "64 lists / pgbench"): least(0.5),
    ("claim", "one shared list / pgbench"): least(1.0),
    ("claim", "64 lists / pgbench"): least(1.0),
    ("submit", "64 queues / bare insert"): least(0.8),
    ("submit", "64 queues / api.submit_job"): least(0.8),
    ("life", "64 lists / graphile-worker unbatched"): least(1.5),
    ("life", "64 lists / pg-boss batch 1"): least(8),
    ("delivery", "p99, 5,000 waiting / 1 waiting"): most(2),
    ("delivery", "p50, 1 waiting / one insert"): most(3),
    ("delivery", "p50, 5,000 waiting / one insert"): most(3),
    ("delivery", "burst of 1,000 / at the rate of claims"): most(1.5),
    ("depth", "claim p50, 100,000 waiting / 1,000"): most(1.3),
    ("depth", "claim p50, 1,000,000 waiting / 1,000"): most(1.3),
    ("depth", "position of the first 1,000, 100,000 waiting"): most(2),
    ("depth", "position of the first 1,000, 1,000,000 waiting"): most(2),
    ("depth", "position of the last of 1,000,000"): most(150),
    ("slow", "polls' p99 beside slow handlers"): most(3),
    ("snapshot", "life, a snapshot held / without"): least(0.7),
    ("idle", "CPU of server and PostgreSQL, 5,000 waiting"): most(1),
}
