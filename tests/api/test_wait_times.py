# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /v1/queues/wait_times."""
import pytest

from caller import assert_refused, new_name

RANKS = {"5", "10", "50", "90", "95"}


def times(caller, *queues):
    reply = caller.get("/v1/queues/wait_times?" + "&".join(f"queue={queue}" for queue in queues))
    assert reply.status == 200, reply
    return reply.json()


def test_a_claim_tells_how_long_a_job_waited(user, agent, anonymous, queue):
    assert times(user, queue) == {}
    user.submit(queue)
    agent.claim(queue)
    waited = times(anonymous, queue, queue, new_name())
    assert waited.keys() == {queue} and waited[queue].keys() == RANKS
    assert len({*waited[queue].values()}) == 1 and 0 <= waited[queue]["50"] < 600
    assert user.get("/v1/queues/wait_times").json()[queue] == waited[queue]
    assert times(user, "") == {}


def test_percentiles_lie_between_the_closest_ranks(user, server, queue):
    server.cluster.psql(f"INSERT INTO tf.wait_sample (queue, seconds) SELECT '{queue}', n FROM"
                        " unnest(ARRAY[40, 10, 30, 20]) n", server.database)
    assert times(user, queue)[queue] == pytest.approx({"5": 11.5, "10": 13, "50": 25, "90": 37, "95": 38.5})


def test_agents_may_not(agent):
    assert_refused(agent.get("/v1/queues/wait_times"), 403)
