# SPDX-License-Identifier: GPL-3.0-or-later
"""POST and GET /v1/result/{id}/log/{type}."""
import concurrent.futures
import uuid

import pytest

from caller import assert_refused

PHASES = ("setup", "provision", "firmware_update", "test", "allocate", "reserve", "cleanup")
NONE = {"last_fragment_number": -1, "log_data": ""}


@pytest.fixture
def job(user, agent, queue):
    made = user.submit(queue)
    agent.claim(queue)
    return made


def fragment(number, phase="test", text="x", at="2024-05-01T10:00:00+00:00"):
    return {"fragment_number": number, "timestamp": at, "phase": phase, "log_data": text}


def post(agent, job, *args, kind="output", **how):
    reply = agent.post(f"/v1/result/{job}/log/{kind}", fragment(*args, **how))
    assert (reply.status, reply.text) == (200, "OK"), reply


def read(caller, job, query="", kind="output"):
    reply = caller.get(f"/v1/result/{job}/log/{kind}{query}")
    assert reply.status == 200, reply
    answer = reply.json()
    assert list(answer) == [kind]
    return answer[kind]


def test_every_phase_is_there_from_the_start(user, job):
    assert read(user, job) == {phase: NONE for phase in PHASES}
    assert read(user, job, kind="serial") == {phase: NONE for phase in PHASES}
    assert read(user, uuid.uuid4(), "?phase=test") == {"test": NONE}


def test_fragments_are_joined_in_the_order_of_their_numbers(agent, anonymous, job):
    for number in (0, 1, 4, 3, 2):
        post(agent, job, number, "setup" if number < 2 else "provision", f"{number}\n")
    post(agent, job, 5, kind="serial", text="s")
    log = read(anonymous, job)
    assert log["setup"] == {"last_fragment_number": 1, "log_data": "0\n1\n"}
    assert log["provision"] == {"last_fragment_number": 4, "log_data": "2\n3\n4\n"}
    assert log["test"] == NONE
    assert read(anonymous, job, "?phase=test", "serial") == \
        {"test": {"last_fragment_number": 5, "log_data": "s"}}


def test_reading_from_a_fragment_on(agent, user, job):
    for number in range(5):
        post(agent, job, number, "setup" if number < 2 else "test", f"{number}")
    assert read(user, job, "?start_fragment=1")["setup"] == {"last_fragment_number": 1, "log_data": "1"}
    assert read(user, job, "?start_fragment=%203%20&phase=test") == \
        {"test": {"last_fragment_number": 4, "log_data": "34"}}
    assert read(user, job, "?start_fragment=2")["setup"] == NONE
    assert read(user, job, "?start_fragment=99") == {phase: NONE for phase in PHASES}


def test_reading_from_a_time_on(agent, user, job):
    for number in range(4):
        post(agent, job, number, text=f"{number}", at=f"2024-05-01T10:00:0{number}+00:00")
    for start in ("2024-05-01T10:00:02Z", "2024-05-01T12:00:02%2B02:00", "2024-05-01T10:00:02",
                  "2024-05-01T10:00:01.5Z"):
        assert read(user, job, f"?phase=test&start_timestamp={start}")["test"]["log_data"] == "23"
    assert read(user, job, "?phase=test&start_timestamp=2999-01-01T00:00:00Z") == {"test": NONE}
    assert read(user, job, "?phase=test&start_timestamp=2024-05-01T10:00:01Z&start_fragment=3") == \
        {"test": {"last_fragment_number": 3, "log_data": "3"}}


def test_a_repeated_fragment_is_stored_once_and_a_different_one_kept(agent, user, job):
    for text in ("one", "one", "two", "one"):
        post(agent, job, 7, text=text)
    assert read(user, job, "?phase=test")["test"] == {"last_fragment_number": 7, "log_data": "onetwo"}


def test_negative_numbers_do_not_show(agent, user, job):
    post(agent, job, -1, "cleanup", "hidden")
    assert read(user, job, "?phase=cleanup") == {"cleanup": NONE}


def test_logs_of_unknown_jobs_are_kept(agent, user):
    job = uuid.uuid4()
    post(agent, job, 0, text="early")
    assert read(user, job, "?phase=test")["test"]["log_data"] == "early"


@pytest.mark.parametrize("text", [
    "\0", "a\0b\0", "\u0001\u001f\u007f\u0080", "\ufffd", "\U0001f600\U0010ffff", "\u2028\u2029\ufeff",
    "\\u0000 \\n \"quoted\" </script>", "\r\n\t\b\f\v", "e\u0301\u200d",
])
def test_text_survives_byte_for_byte(agent, user, job, text):
    post(agent, job, 0, text=text)
    assert read(user, job, "?phase=test")["test"]["log_data"] == text


def test_many_at_once_have_an_end_each_of_their_own(server, agent, user, queue):
    """Made together: what is wrong with one does not matter to the others."""
    def counted(what):
        return server.metric(f'testflinger_{what}_total{{lane="log"}}')

    def send(job, number, text, who, token):
        return who.post(f"/v1/result/{job}/log/output", fragment(number, text=text),
                        headers={"Testflinger-Lease": token} if token else {})

    names = ['"{}"', '"a\\"b\\\\,c"', '"NULL"', "plain", "again"]
    jobs = {}
    for name in names:
        job = user.submit(queue)
        jobs[job] = agent.named(name)
        assert jobs[job].claim(queue)["job_id"] == job
    posts = [(200, job, number, f"{number}\0\u20ac{{\"\\", who, None) for number in range(12) for job, who in jobs.items()]
    posts += [(409, job, 1, "stale", who, str(uuid.uuid4())) for job, who in jobs.items()]
    posts += [(200, str(uuid.uuid4()), 1, "unknown", agent, None), (400, "abc", 1, "x", agent, None),
              (422, job, "x", "x", agent, None), (200, job, 12, "-" * 100_000, jobs[job], None)]
    batches, requests = counted("batches"), counted("batched_requests")
    with concurrent.futures.ThreadPoolExecutor(len(posts)) as pool:
        replies = list(pool.map(lambda one: send(*one[1:]), posts))
    for (status, *what), reply in zip(posts, replies):
        assert reply.status == status, (what, reply)
    assert counted("batched_requests") - requests == len(posts) - 1, "not the large one"
    assert counted("batches") - batches < len(posts) - 1
    for one in jobs:
        want = "".join(f"{number}\0\u20ac{{\"\\" for number in range(12)) + ("-" * 100_000 if one == job else "")
        assert read(user, one, "?phase=test")["test"]["log_data"] == want


def test_large_logs_come_back_whole(agent, user, job):
    # characters of every length, so that some stand across the pieces a log is sent in
    large = "".join(chr(0x61 + i % 26) + "\u00e9\u20ac\U0001f600\0\n" for i in range(150_000))
    post(agent, job, 0, text=large)
    post(agent, job, 1, text="-" * 3_000_000)
    for number in range(2, 400):
        post(agent, job, number, text=f"{number}\n" * 500)
    want = large + "-" * 3_000_000 + "".join(f"{number}\n" * 500 for number in range(2, 400))
    assert read(user, job, "?phase=test")["test"] == {"last_fragment_number": 399, "log_data": want}
    assert user.get(f"/v1/result/{job}").json()["test_output"] == want


@pytest.mark.parametrize("change, complaints", [
    ({"fragment_number": "x"}, {"fragment_number": True}),
    ({"fragment_number": None}, {"fragment_number": True}),
    ({"fragment_number": 1 << 63}, {"fragment_number": True}),
    ({"timestamp": "now"}, {"timestamp": True}),
    ({"timestamp": "2024-05-01"}, {"timestamp": True}),
    ({"timestamp": 1714557600}, {"timestamp": True}),
    ({"phase": "dance"}, {"phase": True}),
    ({"phase": None}, {"phase": True}),
    ({"log_data": 5}, {"log_data": True}),
    ({"x": 1}, {"x": True}),
])
def test_malformed_fragments(agent, job, change, complaints):
    body = {**fragment(0), **change}
    assert_refused(agent.post(f"/v1/result/{job}/log/output", body), 422, complaints)


def test_every_field_of_a_fragment_is_needed(agent, job):
    assert_refused(agent.post(f"/v1/result/{job}/log/output", {}), 422,
                   {"fragment_number": True, "timestamp": True, "phase": True, "log_data": True})


@pytest.mark.parametrize("at", ["2024-05-01T10:00:00", "2024-05-01 10:00", "2024-05-01T10:00:00+0200",
                                "2024-05-01T10:00:00.123456Z", "0001-01-01T00:00:00+23:59",
                                "9999-12-31T23:59:59-23:59"])
def test_spellings_of_times(agent, job, at):
    post(agent, job, "9", at=at)


@pytest.mark.parametrize("query", ["start_fragment=-1", "start_fragment=x", "start_fragment=",
                                   "start_fragment=99999999999999999999", "start_timestamp=now",
                                   "start_timestamp=", "phase=dance", "phase=", "colour=red"])
def test_bad_parameters(user, job, query):
    assert_refused(user.get(f"/v1/result/{job}/log/output?{query}"), 400)


def test_the_first_of_repeated_parameters_counts(user, job):
    assert list(read(user, job, "?phase=setup&phase=test")) == ["setup"]


def test_there_are_two_types(agent, user, job):
    assert_refused(agent.post(f"/v1/result/{job}/log/video", fragment(0)), 404)
    assert_refused(user.get(f"/v1/result/{job}/log/Output"), 404)


def test_a_malformed_id_is_a_bad_request(agent, user):
    assert_refused(agent.post("/v1/result/abc/log/output", fragment(0)), 400)
    assert_refused(user.get("/v1/result/abc/log/output"), 400)


def test_who_may_do_what(agent, user, anonymous, job):
    assert_refused(user.post(f"/v1/result/{job}/log/output", fragment(0)), 403)
    assert_refused(agent.get(f"/v1/result/{job}/log/output"), 403)
    assert anonymous.get(f"/v1/result/{job}/log/output").status == 200
