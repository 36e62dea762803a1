# SPDX-License-Identifier: GPL-3.0-or-later
"""Idempotency-Key on POST /v1/job."""
import concurrent.futures
import uuid

import pytest

from caller import Caller, assert_refused, new_name
from conftest import of_role
from server import Server


def send(caller, key, **fields):
    return caller.post("/v1/job", fields, headers={"Idempotency-Key": key})


def jobs_of(caller, queue):
    reply = caller.get(f"/v1/queues/{queue}/jobs")
    return [job["job_id"] for job in reply.json()] if reply.status == 200 else []


def test_a_repetition_is_the_first_job(user, queue):
    key = new_name("key")
    replies = [send(user, key, job_queue=queue, global_timeout=timeout) for timeout in (60, "60", 60.0)]
    assert [reply.status for reply in replies] == [200] * 3
    assert [reply.json()["job_id"] for reply in replies] == jobs_of(user, queue) * 3


def test_it_is_so_after_the_job_has_ended(user, agent, queue):
    key = new_name("key")
    job = send(user, key, job_queue=queue).json()["job_id"]
    assert agent.claim(queue)["job_id"] == job
    agent.post(f"/v1/result/{job}", {"job_state": "complete"})
    assert send(user, key, job_queue=queue).json() == {"job_id": job}


def test_without_a_key_each_submission_is_a_job(user, queue):
    assert user.submit(queue) != user.submit(queue)
    assert send(user, new_name("key"), job_queue=queue).json() != send(user, new_name("key"), job_queue=queue).json()


def test_another_body_is_refused(user, queue):
    key = new_name("key")
    job = send(user, key, job_queue=queue).json()["job_id"]
    assert_refused(send(user, key, job_queue=queue, name="another"), 422)
    assert_refused(send(user, key, job_queue=queue, job_id=str(uuid.uuid4())), 422)
    assert jobs_of(user, queue) == [job]


def test_a_refused_submission_leaves_the_key_free(user, queue):
    key = new_name("key")
    assert_refused(send(user, key, job_queue=queue, job_priority=1), 403)
    assert_refused(send(user, key, job_queue=""), 422)
    assert send(user, key, job_queue=queue).status == 200


def test_callers_do_not_share_keys(server, user, anonymous, queue):
    key = str(uuid.uuid4())
    callers = (user, anonymous, of_role(server, "contributor"))
    assert len({send(caller, key, job_queue=queue).json()["job_id"] for caller in callers}) == 3


def test_without_a_token_a_key_is_a_uuid(anonymous, queue):
    for key in ("key", "1", "'" * 36, "k" * 300):
        assert_refused(send(anonymous, key, job_queue=queue), 422)
    key = str(uuid.uuid4())
    made = [send(anonymous, text, job_queue=queue).json()["job_id"] for text in (key, key.upper(), f'"{key}"')]
    assert made == jobs_of(anonymous, queue) * 3


@pytest.mark.parametrize("key, status", [("", 422), ('""', 422), ("k", 200), ("k" * 255, 200), ("k" * 256, 422),
                                         ("\xff", 422), ("a b;c=\"d", 200)])
def test_how_long_and_of_what_a_key_is(user, queue, key, status):
    assert send(user, key, job_queue=queue).status == status


def test_two_servers_make_one_job_of_many_submissions_at_once(cluster, database, server, user, queue,
                                                              tmp_path):
    other = Server(cluster, database, tmp_path, "other").start()
    callers = [user, Caller(other, user.auth)] * 8
    key = new_name("key")
    with concurrent.futures.ThreadPoolExecutor(len(callers)) as pool:
        replies = list(pool.map(lambda caller: send(caller, key, job_queue=queue), callers))
    assert {reply.status for reply in replies} == {200}
    assert {reply.json()["job_id"] for reply in replies} == set(jobs_of(user, queue))
    assert len(jobs_of(user, queue)) == 1
    assert other.stop() == 0
