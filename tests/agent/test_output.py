# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command prints: live, whole, masked, bounded."""
import hashlib
import os
import pathlib

import pytest

from wait import wait_for


UNDER_VALGRIND = "valgrind" in os.environ.get("TESTFLINGER_AGENT_WRAPPER", "")


def shown(value):
    return f"**{hashlib.sha256(value.encode()).hexdigest()[:6]}**"


def resident_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def test_output_is_sent_while_the_command_runs(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    make_agent(test_command=f"echo first; until [ -e {gate} ]; do sleep 0.05; done; echo second")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "first" in job.log("test"))
    assert "second" not in job.log("test")
    gate.touch()
    fake.wait_complete(job)
    assert job.log("test").endswith("first\nsecond\n")


def test_many_lines_are_sent_in_few_fragments(fake, make_agent):
    make_agent(test_command="seq 1 100000")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    lines = job.log("test").splitlines()[3:]
    assert lines == [str(n) for n in range(1, 100001)]
    assert len(job.fragments["output"]) < 200
    assert max(len(f["log_data"]) for f in job.fragments["output"]) <= 64 * 1024 + 3


def test_bytes_that_are_no_text_arrive_as_replacement_characters(fake, make_agent):
    make_agent(test_command="printf 'a\\000b\\377c\\303\\244'; printf '\\303'; sleep 0.3; "
                            "printf '\\266\\n'; head -c 100000 /dev/urandom")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    assert "a\0b\ufffdcäö\n" in job.log("test")
    assert len(job.log("test")) > 50000


def test_secrets_are_in_the_environment_and_nowhere_else(fake, make_agent):
    agent = make_agent(
        test_command='[ "$TOKEN" = "pa$$word" ] || [ -n "$TOKEN" ]; echo "value: $TOKEN."; '
                     'printf "%s" "${TOKEN%word-1}"; sleep 0.4; echo "word-1|$SHORT|$EMPTY|"; '
                     'cp test.log kept.log; mkdir artifacts; cp test.log artifacts; '
                     'echo "{\\"device_info\\": {\\"x\\": \\"$TOKEN\\"}}" > device-info.json',
        cleanup_command='echo "[$TOKEN]"')
    job = fake.add_job(test_data={"secrets": {"TOKEN": "password-1", "SHORT": "pass", "EMPTY": ""}})
    fake.wait_complete(job)
    log = job.log("test")
    assert f"value: {shown('password-1')}.\n" in log
    assert f"{shown('password-1')}|{shown('pass')}||\n" in log
    assert job.log("cleanup").endswith("[]\n")
    assert job.device_info == {"x": shown("password-1")}
    posted = b"".join(r.body for r in fake.seen("POST", ".*"))
    assert b"password-1" not in posted
    assert b"password-1" not in agent.process.log.read_bytes()


@pytest.mark.parametrize("megabytes", [8] if UNDER_VALGRIND else [64, 1024])
def test_of_a_long_log_beginning_and_end_are_sent(fake, make_agent, megabytes):
    size = megabytes << 20
    agent = make_agent(test_command=f"echo begin; head -c {size} /dev/zero | tr '\\0' x; echo end",
                       output_bytes=1 << 20)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job, 1200)
    log = job.log("test")
    assert "begin\n" in log[:300]
    assert log.endswith("xend\n")
    assert "is left out" in log
    assert 1 << 20 <= len(log) < (1 << 20) + 2000
    if not UNDER_VALGRIND:
        assert resident_kb(agent.process.pid) < 400 * 1024  # the sanitizers need most of it


def test_the_log_on_disk_stays_small(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"head -c 100000000 /dev/zero; echo; echo printed > {gate}.1; "
                                    f"until [ -e {gate} ]; do sleep 0.1; done",
                       output_bytes=1 << 20)
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: pathlib.Path(f"{gate}.1").exists(), 300)
    log = agent.job_dir(job) / "test.log"
    wait_for(lambda: log.stat().st_size > 100000000)
    assert log.stat().st_blocks * 512 < 8 << 20
    gate.touch()
    fake.wait_complete(job)


def test_artifacts_are_packed_and_uploaded(fake, make_agent, tmp_path):
    import io
    import tarfile
    make_agent(test_command="mkdir -p artifacts/sub; echo one > artifacts/1; "
                            "head -c 3000000 /dev/urandom > artifacts/sub/big; "
                            "ln -s /etc/passwd artifacts/link; mkfifo artifacts/pipe")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert len(job.artifacts) == 1
    with tarfile.open(fileobj=io.BytesIO(job.artifacts[0]), mode="r:gz") as tar:
        names = {member.name: member for member in tar}
        assert set(names) == {"artifacts", "artifacts/1", "artifacts/sub", "artifacts/sub/big",
                              "artifacts/link"}
        assert names["artifacts/link"].issym()
        assert tar.extractfile("artifacts/1").read() == b"one\n"
        assert names["artifacts/sub/big"].size == 3000000


def test_an_empty_artifacts_directory_is_not_uploaded(fake, make_agent):
    make_agent(test_command="mkdir artifacts")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.artifacts == []


@pytest.mark.parametrize("name", ["testflinger.json", "artifacts", "device-info.json",
                                  "device-connector-error.json", "test-serial.log"])
def test_a_job_that_puts_pipes_in_the_way_does_not_stop_the_agent(fake, make_agent, name):
    make_agent(setup_command=f"rm -rf {name}; mkfifo {name}; exit 1", cleanup_command="true")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"setup": 1, "cleanup": 0}
