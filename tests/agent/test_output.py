# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command prints: live, whole, masked, bounded."""
import datetime
import hashlib
import os
import pathlib
import subprocess

import pytest

from programs import program
from wait import wait_for


UNDER_ASAN = b"__asan_init" in pathlib.Path(program("testflinger-agent")).read_bytes()
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
        # the sanitizers need most of it
        assert resident_kb(agent.process.pid) < (400 if UNDER_ASAN else 32) * 1024


@pytest.mark.skipif(UNDER_ASAN or UNDER_VALGRIND, reason="the memory would be the tools'")
def test_memory_stays_small_whatever_is_printed(fake, make_agent):
    secrets = {f"SECRET{n}": f"secret-{n}" * 20 for n in range(50)}
    agent = make_agent(output_rate=0, setup_command="head -c 100000000 /dev/urandom",
                       test_command="head -c 300000000 /dev/zero; yes \"$SECRET7\" | "
                                    "head -c 100000000; seq 1 3000000 > test-serial.log")
    job = fake.add_job(test_data={"secrets": secrets})
    fake.wait_complete(job, 600)
    assert job.status == {"setup": 0, "test": 0}
    assert resident_kb(agent.process.pid) < 32 * 1024


def test_a_job_that_prints_without_end_is_sent_at_a_rate(fake, make_agent):
    rate = 100000
    make_agent(test_command="seq 1 100000", output_rate=rate)  # 589 kB
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.log("test").splitlines()[3:] == [str(n) for n in range(1, 100001)]
    times = [datetime.datetime.fromisoformat(f["timestamp"].replace("Z", "+00:00"))
             for f in job.fragments["output"]]
    took = (times[-1] - times[0]).total_seconds()
    size = len(job.log("test"))
    # what may go out at once, and the piece that is under way
    assert took >= (size - rate - 2 * 65536) / rate


@pytest.fixture
def disk_without_holes(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    where = tmp_path / "ram"
    where.mkdir()
    done = subprocess.run(["mount", "-t", "ramfs", "ramfs", str(where)], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no ramfs can be mounted: {done.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=False)


def test_a_disk_that_cannot_give_space_back_is_not_filled(fake, make_agent, disk_without_holes,
                                                          tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"echo begin; head -c 50000000 /dev/zero | tr '\\0' x; "
                                    f"echo; echo end; touch {gate}.1; "
                                    f"until [ -e {gate} ]; do sleep 0.1; done",
                       output_bytes=1 << 20, execution_basedir=str(disk_without_holes / "run"))
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: pathlib.Path(f"{gate}.1").exists(), 300)
    log = disk_without_holes / "run" / job.definition["job_id"] / "test.log"
    assert log.stat().st_size < 4 << 20
    gate.touch()
    fake.wait_complete(job)
    assert "begin\n" in job.log("test")
    assert job.log("test").endswith("x\nend\n")
    assert "output was lost here" in job.log("test")
    assert len(job.log("test")) < 4 << 20
    assert agent.process.running()


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


# root may read everything; without these rights it is as other users are
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.mark.parametrize("command, said", [
    ("mkdir artifacts; chmod 0 artifacts", "The artifacts cannot be packed: could not read"),
    ("echo x > artifacts", '"artifacts" is not a directory'),
    ("ln -s /etc artifacts", '"artifacts" is not a directory'),
])
def test_why_there_are_no_artifacts_is_in_the_log(fake, make_agent, command, said):
    make_agent(test_command=command, cleanup_command="echo cleaned", prefix=WITHOUT_RIGHTS)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 0, "cleanup": 0}
    assert job.artifacts == []
    assert said in job.log("cleanup").split("cleaned\n")[1]


def test_artifacts_that_cannot_be_read_are_counted_in_the_log(fake, make_agent):
    make_agent(test_command="mkdir -p artifacts/sub artifacts/good; touch artifacts/file artifacts/good/a; "
                            "chmod 0 artifacts/sub artifacts/file", prefix=WITHOUT_RIGHTS)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert len(job.artifacts) == 1
    assert "ERROR: 2 of the artifacts could not be read" in job.log("test")


def test_artifacts_that_the_server_refuses_are_told_in_the_log(fake, make_agent):
    make_agent(test_command="mkdir artifacts; touch artifacts/file")
    fake.overrule("POST", "/v1/result/.*/artifact", 413)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    assert "ERROR: The server did not take the artifacts: " in job.log("test")


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


def test_a_serial_log_without_end_does_not_hold_the_agent(fake, make_agent):
    make_agent(setup_command="echo booted > setup-serial.log; truncate -s 1T setup-serial.log",
               output_bytes=50000)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"setup": 0}
    assert job.log("setup", "serial").startswith("booted\n")
    assert "the rest of this serial log is left out" in job.log("setup", "serial")[-200:]
