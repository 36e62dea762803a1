# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happens between two requests of a job: the server goes away, the agent is killed, the token
expires.  A run without trouble tells which requests there are; then each of them (in the first of
TURNS some, in all of them, by ./quickstart test --long, all) is the one at which it happens."""
import io
import os
import signal
import tarfile
import threading

import pytest

from fakeserver import AGENT_TOKEN, FakeServer
from trap import Trap
from wait import patient, wait_for

PRINTED = {"setup": "set up\n", "test": "".join(f"{n}\n" for n in range(1, 51)),
           "cleanup": "cleaned\n"}
COMMANDS = {
    "setup_command": "echo '{\"device_info\": {\"device_ip\": \"10.0.0.1\"}}' > device-info.json; "
                     "echo set up",
    "test_command": "seq 1 50; printf serial > test-serial.log; mkdir artifacts; "
                    "seq 1 9999 > artifacts/file",
    "cleanup_command": "echo cleaned"}
ARTIFACT = "".join(f"{n}\n" for n in range(1, 10000)).encode()
AWAY_S = 0.9  # longer than the agent repeats a request (QUICK in agent.py)
EVERY = 6     # so many requests, and in the next turn the ones behind them


def banner(phase):
    line = f"* Starting testflinger {phase} phase on agent-1 *"
    stars = "*" * len(line)
    return f"{stars}\n{line}\n{stars}\n"


def wait_over(fake, agent, job):
    fake.wait_complete(job)
    wait_for(lambda: not agent.job_dir(job).exists() and not agent.kept_dir(job).exists())
    claims = len(fake.seen("GET", "/v1/job"))
    wait_for(lambda: len(fake.seen("GET", "/v1/job")) > claims)
    fake.trap = None


def steps(fake, agent, late, turn):
    """Numbers of the requests whose turn it is, from a run in which nothing happens."""
    trap = Trap()
    fake.trap = trap
    job = fake.add_job(test_data={"a": 1})
    wait_over(fake, agent, job)
    check_delivery(job, trap)
    check_all_ran(job)
    last = next(number for number, request in enumerate(trap.requests, 1)
                if b'"job_state":"complete"' in request.body)
    assert last > 15
    first = last + turn + (0 if late else EVERY // 2)
    return [number for number in range(1, last + 1) if number % EVERY == first % EVERY]


def check_delivery(job, trap):
    """Once, in one piece."""
    again = trap.late and trap.sprung.is_set() and trap.was_outcome()  # its answer was lost
    assert job.completions in ((1, 2) if again else (1,))
    numbers = [fragment["fragment_number"] for fragment in job.fragments["output"]]
    assert numbers == list(range(len(numbers)))
    for data in job.artifacts:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            assert tar.extractfile("artifacts/file").read() == ARTIFACT


def check_all_ran(job):
    assert job.status == {"setup": 0, "test": 0, "cleanup": 0}
    for phase in ("setup", "test"):
        assert job.log(phase) == banner(phase) + PRINTED[phase]
    assert job.log("cleanup").endswith(banner("cleanup") + PRINTED["cleanup"])
    assert job.log("test", "serial") == "serial"
    assert job.device_info == {"device_ip": "10.0.0.1"}
    assert job.artifacts


def check_truth(job):
    """Of an agent that was killed: all went well only if all was run, and nothing was run twice but
    cleanup."""
    if set(job.status.values()) == {0}:
        check_all_ran(job)
    else:
        assert 137 in job.status.values()
    for phase in ("setup", "test"):
        assert job.log(phase).count(PRINTED[phase]) <= 1
        assert job.log(phase).count("* Starting") <= 1
    assert job.status["cleanup"] == 0
    assert PRINTED["cleanup"] in job.log("cleanup")


TURNS = [pytest.param(turn, marks=[pytest.mark.long] if turn else []) for turn in range(EVERY)]
LATE = [pytest.param(False, id="before"), pytest.param(True, id="after")]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("late", LATE)
def test_a_server_that_goes_away_gets_the_outcome_once(fake, make_agent, late, turn):
    agent = make_agent(**COMMANDS)
    for number in steps(fake, agent, late, turn):
        fake.trap = trap = Trap(number, late, lambda: fake.go_away(AWAY_S))
        job = fake.add_job(test_data={"a": 1})
        try:
            wait_over(fake, agent, job)
            check_delivery(job, trap)
            check_all_ran(job)
            assert job.log("cleanup").count("cleaned") == 1
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"away {trap.label()}: {error}") from error


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("late", LATE)
def test_an_agent_that_is_killed_tells_the_truth_later(fake, make_agent, late, turn):
    agent = make_agent(**COMMANDS)
    for number in steps(fake, agent, late, turn):
        fake.trap = trap = Trap(number, late, lambda: os.kill(agent.process.pid, signal.SIGKILL))
        job = fake.add_job(test_data={"a": 1})
        try:
            assert trap.sprung.wait(patient(30))
            agent.process.wait(10)
            agent.start()
            wait_over(fake, agent, job)
            check_delivery(job, trap)
            check_truth(job)
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"killed {trap.label()}: {error}") from error


class TestAuthentication:
    @pytest.fixture
    def fake(self):
        server = FakeServer(authenticated=True).start()
        yield server
        server.stop()

    @pytest.mark.parametrize("turn", TURNS)
    def test_a_token_that_expires_is_replaced_and_the_request_repeated(self, fake, make_agent, turn):
        agent = make_agent(token=AGENT_TOKEN, **COMMANDS)
        for number in steps(fake, agent, False, turn):
            refreshed = len(fake.seen("POST", "/v1/oauth2/refresh"))
            fake.trap = trap = Trap(number, False, fake.forget_tokens, answered=True)
            job = fake.add_job(test_data={"a": 1})
            try:
                wait_over(fake, agent, job)
                check_delivery(job, trap)
                check_all_ran(job)
                # a second one only if two lanes found out at once
                assert len(fake.seen("POST", "/v1/oauth2/refresh")) - refreshed in (1, 2)
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"401 {trap.label()}: {error}") from error


def test_what_arrived_unknown_to_the_agent_is_not_sent_again_with_more(fake, make_agent, tmp_path):
    gate, lost = tmp_path / "gate", threading.Event()
    lost.set()
    fake.trap = lambda request, late: late and lost.is_set() and request.path.endswith("/log/output")
    make_agent(test_command=f"echo one; until [ -e {gate} ]; do sleep 0.05; done; echo two; "
                            f"touch {gate}.2; until [ -e {gate}.3 ]; do sleep 0.05; done")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: len(fake.seen("POST", ".*/log/output")) > 6)
    gate.touch()
    wait_for((tmp_path / "gate.2").exists)
    lost.clear()
    wait_for(lambda: "two" in job.log("test"))
    (tmp_path / "gate.3").touch()
    fake.wait_complete(job)
    assert job.log("test") == banner("test") + "one\ntwo\n"
