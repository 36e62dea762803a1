# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /, /v1/, /healthz, /readyz and /metrics: what the service says about itself."""
import re

import pytest


@pytest.mark.parametrize("path", ["/", "/v1/", "/v1"])
def test_the_service_says_its_name(anonymous, path):
    reply = anonymous.get(path)
    assert reply.status == 200
    assert re.fullmatch(r"Testflinger Server v\d+\.\d+\.\d+", reply.text)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_is_well_and_ready(anonymous, path):
    reply = anonymous.get(path)
    assert (reply.status, reply.text) == (200, "OK\n")
    assert anonymous.get(path, headers={"Authorization": "Bearer nonsense"}).status == 200


def samples(caller):
    """{series with its labels: value} of /metrics."""
    reply = caller.get("/metrics")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in reply.text.splitlines() if line and not line.startswith("#")]
    pairs = [re.fullmatch(r"([a-z_]+(?:\{.*\})?) ([0-9.e+-]+|\+Inf|NaN)", line) for line in lines]
    assert all(pairs), reply.text
    return {pair.group(1): float(pair.group(2)) for pair in pairs}


def test_jobs_and_reservations_are_counted_by_queue(user, anonymous, queue):
    user.submit(queue)
    user.submit(queue, reserve_data={"ssh_keys": ["lp:me"]})
    counted = samples(anonymous)
    assert counted[f'testflinger_jobs_total{{queue="{queue}"}}'] == 2
    assert counted[f'testflinger_reservations_total{{queue="{queue}"}}'] == 1


def test_claims_and_ends_are_counted_by_queue(user, agent, anonymous, queue):
    for _ in range(3):
        user.submit(queue)
    first = agent.claim(queue)
    agent.post(f"/v1/result/{first['job_id']}", {"job_state": "complete"})
    assert agent.claim(queue)
    counted = samples(anonymous)
    assert counted[f'testflinger_jobs_claimed_total{{queue="{queue}"}}'] == 2
    assert counted[f'testflinger_jobs_finished_total{{queue="{queue}"}}'] == 1


def test_odd_queue_names_make_no_odd_lines(user, anonymous):
    user.submit('a "quoted"\\name\nwith an end of line')
    assert samples(anonymous)['testflinger_jobs_total{queue="a \\"quoted\\"\\\\name\\nwith an end '
                              'of line"}'] == 1


def test_requests_are_counted_by_route_and_status(user, anonymous):
    def count():
        return sum(value for series, value in samples(anonymous).items()
                   if 'route="/v1/job/{id}"' in series and 'method="GET"' in series
                   and "count" not in series and "bucket" not in series and "sum" not in series)

    before = count()
    for _ in range(3):
        user.get("/v1/job/abc")
    assert count() >= before + 3


def test_many_parameters_are_answered_and_too_many_refused(agent, anonymous):
    names = [f"a-queue-of-an-agent-with-many-{n}" for n in range(1000)]
    assert agent.claim(*names) is None
    reply = anonymous.get("/v1/?" + "&".join(f"q={n}" for n in range(1001)))
    assert reply.status == 400 and "message" in reply.json()


def test_a_cookie_of_many_parts_is_answered(server):
    reply = server.get("/v1/", headers={"Cookie": ",".join("a=b" for _ in range(1000))})
    assert reply.status == 200
