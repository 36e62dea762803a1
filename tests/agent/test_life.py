# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent between jobs: how it introduces itself, what people want of it, crashes, options."""
import os
import pathlib
import shutil
import signal
import subprocess
import uuid

import pytest

from agent import Agent, processes_with
from programs import program
from wait import wait_for


def test_an_agent_introduces_itself(fake, make_agent):
    make_agent(identifier="id-1", location="lab 3", provision_type="noprovision",
               job_queues=["q1", "q 2&x"],
               advertised_queues=[{"queue": "q1", "description": "the \"first\""}],
               advertised_images=[{"queue": "q1", "image": "a", "data": "url: x"},
                                  {"queue": "q1", "image": "b", "data": "url: y"}])
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    assert fake.agent == {"state": "waiting", "job_id": "", "identifier": "id-1",
                          "location": "lab 3", "provision_type": "noprovision",
                          "queues": ["q1", "q 2&x"]}
    assert fake.queues == {"q1": 'the "first"'}
    assert fake.images == {"q1": {"a": "url: x", "b": "url: y"}}
    claim = fake.seen("GET", "/v1/job")[0]
    assert claim.query["queue"] == ["q1", "q 2&x"]
    assert claim.headers["Cookie"] == "agent_name=agent-1"


def test_the_state_of_the_agent_follows_the_job(fake, make_agent):
    make_agent(setup_command="true", test_command="true", cleanup_command="true")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    wait_for(lambda: fake.agent_states()[-1] == "waiting")
    assert fake.agent_states() == ["waiting", "setup", "test", "cleanup", "waiting"]


@pytest.mark.parametrize("state", ["offline", "maintenance"])
def test_an_agent_set_offline_takes_no_job_until_it_is_cleared(fake, make_agent, state):
    make_agent(test_command="true")
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    fake.agent.update(state=state, comment="broken")
    wait_for(lambda: len(fake.seen("GET", "/v1/agents/data/agent-1")) > 3)
    claims = len(fake.seen("GET", "/v1/job"))
    job = fake.add_job(test_data={"a": 1})
    looked = len(fake.seen("GET", "/v1/agents/data/agent-1"))
    wait_for(lambda: len(fake.seen("GET", "/v1/agents/data/agent-1")) > looked + 1)
    assert len(fake.seen("GET", "/v1/job")) <= claims + 1
    assert fake.agent["state"] == state
    assert fake.agent["comment"] == "broken"
    fake.agent["state"] = "waiting"
    fake.wait_complete(job)


def test_offline_wished_in_mid_job_holds_after_it(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    make_agent(setup_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done",
               test_command="true")
    job = fake.add_job(test_data={"a": 1})
    later = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("setup"))
    wait_for(lambda: fake.agent["state"] == "setup")  # else what the agent posts would undo the wish
    fake.agent["state"] = "offline"
    gate.touch()
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "test": 0}
    wait_for(lambda: fake.agent["state"] == "offline")
    looked = len(fake.seen("GET", "/v1/agents/data/agent-1"))
    wait_for(lambda: len(fake.seen("GET", "/v1/agents/data/agent-1")) > looked + 1)
    assert later.state == "waiting"


@pytest.mark.parametrize("cleanup", ["", "true"])
@pytest.mark.parametrize("state", ["offline", "maintenance"])
def test_a_wish_during_the_last_phase_is_not_lost(fake, make_agent, tmp_path, state, cleanup):
    gate = tmp_path / "gate"
    make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done",
               cleanup_command=cleanup)
    job = fake.add_job(test_data={"a": 1})
    later = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test") and fake.agent["state"] == "test")
    fake.agent.update(state=state, comment="look at it")
    gate.touch()
    fake.wait_complete(job)
    wait_for(lambda: fake.agent["job_id"] == "")
    looked = len(fake.seen("GET", "/v1/agents/data/agent-1"))
    wait_for(lambda: len(fake.seen("GET", "/v1/agents/data/agent-1")) > looked + 1)
    assert fake.agent["state"] == state
    assert fake.agent["comment"] == "look at it"
    assert later.state == "waiting"


def test_a_restart_wished_ends_the_agent_with_a_failure(fake, make_agent):
    agent = make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    fake.agent["state"] = "restart"
    wait_for(lambda: not agent.process.running())
    assert agent.process.popen.returncode == 1
    assert fake.agent["state"] == "offline"


def test_usr1_restarts_the_agent_once_the_device_is_not_busy(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done")
    job = fake.add_job(test_data={"a": 1})
    later = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    agent.process.send(signal.SIGUSR1)
    gate.touch()
    fake.wait_complete(job)
    wait_for(lambda: not agent.process.running())
    assert agent.process.popen.returncode == 1
    assert later.state == "waiting"


def test_only_restricted_queues_are_asked_if_there_are_some(fake, make_agent):
    make_agent(job_queues=["q1", "q2", "q3"])
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    fake.agent["restricted_to"] = {"q2": ["somebody"], "q3": []}
    wait_for(lambda: fake.seen("GET", "/v1/job")[-1].query["queue"] == ["q2"])


def test_a_job_of_an_agent_that_was_killed_is_cleaned_up_and_reported(fake, make_agent):
    mark = f"6{uuid.uuid4().int % 10**8}"
    agent = make_agent(setup_command="echo set up",
                       test_command=f"echo begun; setsid sleep {mark}",
                       reserve_command="echo no", cleanup_command="echo cleaned; cat $PWD/setup.log",
                       cancel_interval=3600)
    job = fake.add_job(test_data={"a": 1}, reserve_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    agent.kill()
    assert processes_with(mark)
    agent.start()
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "test": 137, "cleanup": 0}
    assert job.completions == 1
    assert job.log("setup").count("set up") == 1
    assert job.log("test").count("begun") == 1
    assert "cleaned" in job.log("cleanup")
    assert not processes_with(mark)
    numbers = [fragment["fragment_number"] for fragment in job.fragments["output"]]
    assert numbers == list(range(len(numbers)))
    wait_for(lambda: not agent.job_dir(job).exists())
    after = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in after.log("test"))


def test_two_agents_of_one_name_do_not_share_their_directories(fake, make_agent, tmp_path):
    make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    second = subprocess.run(Agent(tmp_path, fake.url).command(), capture_output=True, text=True,
                            timeout=60, check=False)
    assert second.returncode == 1
    assert "another agent" in second.stderr


def test_attachments_are_unpacked_where_commands_find_them(fake, make_agent, tmp_path):
    bundle = pack(tmp_path, {"test/run.sh": "echo from the bundle"})
    make_agent(test_command="sh attachments/test/run.sh", provision_command="echo no")
    job = fake.add_job(attachments=bundle, test_data={"attachments": [], "x": 1},
                       provision_data={"attachments": [{"agent": "f"}]})
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    assert job.log("test").endswith("from the bundle\n")


def test_a_suspicious_bundle_is_refused_as_a_whole(fake, make_agent, tmp_path):
    bundle = pack(tmp_path, {"test/good": "x", "../evil": "x"})
    agent = make_agent(test_command="echo no", cleanup_command="ls attachments")
    job = fake.add_job(attachments=bundle, test_data={"x": 1})
    fake.wait_complete(job)
    assert job.status["setup"] == 1
    assert "test" not in job.status
    assert "attachments cannot be used" in job.log("setup")
    assert job.status["cleanup"] != 0
    assert not (agent.dir / "run" / "evil").exists()


def pack(directory, files):
    import io
    import tarfile
    path = directory / "bundle.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path.read_bytes()


# --- a full disk ---------------------------------------------------------------------

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    where = tmp_path / "small"
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(where)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted: {done.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=False)


def test_a_job_that_fills_the_disk_is_reported_and_the_agent_goes_on(fake, make_agent, small_disk):
    agent = make_agent(test_command="echo begun; cat /dev/zero > full; echo still here; seq 1 100; "
                                    "exit 5",
                       cleanup_command="ls > /dev/null; echo cleaned",
                       execution_basedir=str(small_disk / "run"),
                       results_basedir=str(small_disk / "results"))
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 5, "cleanup": 0}
    assert "still here\n" in job.log("test")
    assert job.log("test").endswith("100\n")
    assert "cleaned" in job.log("cleanup")
    after = fake.add_job(setup_data={})
    fake.wait_complete(after)
    assert agent.process.running()


def test_with_a_full_disk_and_no_server_the_outcome_is_not_lost(fake, make_agent, small_disk,
                                                                tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; "
                                    "cat /dev/zero > full; exit 5",
                       execution_basedir=str(small_disk / "run"),
                       results_basedir=str(small_disk / "results"))
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    fake.stop()
    gate.touch()
    wait_for(lambda: "sent later" in agent.process.output().split("event=keep")[-1], 120)
    fake.start()
    fake.wait_complete(job)
    assert job.completions == 1
    assert job.status == {"test": 5}


def test_an_outcome_stays_where_it_is_if_it_waits_on_another_disk(fake, make_agent, small_disk):
    agent = make_agent(test_command="echo tested", results_basedir=str(small_disk / "results"))
    rule = fake.overrule("POST", "/v1/result/[^/]*", 503)
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "sent later" in agent.process.output(), 120)
    assert agent.job_dir(job).exists()
    agent.kill()
    agent.start()
    rule.times = 0
    fake.wait_complete(job)
    wait_for(lambda: not agent.job_dir(job).exists())
    assert job.completions == 1
    assert job.status == {"test": 0}


def test_no_job_is_taken_while_the_disk_is_full(fake, make_agent, small_disk):
    with (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(7 << 20))
        filler.flush()
        agent = make_agent(test_command="true", execution_basedir=str(small_disk / "run"),
                           results_basedir=str(small_disk / "results"))
        (small_disk / "filler2").write_bytes(bytes(500000))
        job = fake.add_job(test_data={"a": 1})
        wait_for(lambda: "no room" in agent.process.output())
        assert job.state == "waiting"
    (small_disk / "filler").unlink()
    fake.wait_complete(job)


def test_below_disk_min_free_no_job_is_taken_and_the_comment_says_why(fake, make_agent, small_disk):
    filler = small_disk / "filler"
    filler.write_bytes(bytes(4 << 20))
    make_agent(test_command="true", execution_basedir=str(small_disk / "run"),
               disk_min_free=5 << 20)
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: fake.agent.get("comment"))
    assert fake.agent["comment"].startswith("no job is taken: ")
    assert f'free in "{small_disk}/run", disk_min_free is 5 MiB' in fake.agent["comment"]
    assert fake.agent["state"] == "waiting"
    looked = len(fake.seen("GET", "/v1/agents/data/agent-1"))
    wait_for(lambda: len(fake.seen("GET", "/v1/agents/data/agent-1")) > looked + 2)
    assert not fake.seen("GET", "/v1/job")
    assert len([r for r in fake.seen("POST", "/v1/agents/data/.*") if b"comment" in r.body]) == 1
    filler.unlink()
    fake.wait_complete(job)
    assert fake.agent["comment"] == ""


def test_a_comment_of_people_stays(fake, make_agent):
    agent = make_agent(test_command="true")
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    fake.agent["comment"] = "handle with care"
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    asked = len(fake.seen("GET", "/v1/job"))
    wait_for(lambda: len(fake.seen("GET", "/v1/job")) > asked + 1)
    assert fake.agent["comment"] == "handle with care"
    assert agent.process.running()


# --- options --------------------------------------------------------------------------

def run(*arguments):
    return subprocess.run([program("testflinger-agent"), *map(str, arguments)], text=True,
                          capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("line, complaint", [
    ("job_quues = [ \"q\" ];", '4: unknown option "job_quues"'),
    ("polling_interval = \"x\";", '4: option "polling_interval"'),
    ("polling_interval = 0;", '4: option "polling_interval"'),
    ("advertised_queues = ( { queue = \"a\"; } );", '4: option "advertised_queues"'),
    ("logging_level = \"LOUD\";", '4: option "logging_level" is none of'),
    ("server_pause_max = 1;", '4: option "server_pause_max" is less than'),
])
def test_a_wrong_configuration_is_refused_with_file_line_and_key(tmp_path, line, complaint):
    path = tmp_path / "a.conf"
    path.write_text('agent_id = "a";\nserver_address = "h";\njob_queues = [ "q" ];\n' + line)
    for extra in ((), ("--check",)):
        done = run("-c", path, *extra)
        assert done.returncode == 1
        assert str(path) in done.stderr
        assert complaint in done.stderr


@pytest.mark.parametrize("missing", ["agent_id", "server_address", "job_queues"])
def test_a_missing_required_key_is_named(tmp_path, missing):
    lines = {"agent_id": 'agent_id = "a";', "server_address": 'server_address = "h";',
             "job_queues": 'job_queues = [ "q" ];'}
    del lines[missing]
    path = tmp_path / "a.conf"
    path.write_text("\n".join(lines.values()))
    done = run("-c", path, "--check")
    assert done.returncode == 1
    assert f'"{missing}" is missing' in done.stderr


def test_check_tells_every_mistake_one_a_line(tmp_path):
    path = tmp_path / "a.conf"
    path.write_text('agent_id = "a/b";\nserver_address = "ftp://h";\njob_queues = [ ];\n'
                    'colour = 1;\nkill_grace = -1;\n')
    done = run("-c", path, "--check")
    lines = [line.split(f"{path}:")[1].split(":")[0] for line in done.stderr.splitlines()]
    assert (done.returncode, sorted(lines)) == (1, ["1", "2", "3", "4", "5"]), done.stderr


def test_check_looks_at_a_token_file_that_is_given(tmp_path):
    path, token = tmp_path / "a.conf", tmp_path / "token"
    path.write_text('agent_id = "a";\nserver_address = "h";\njob_queues = [ "q" ];\n')
    token.write_text('{"refresh": "x"}')
    done = run("-c", path, "--check", "--token-file", token)
    assert done.returncode == 1 and "it has no refresh_token" in done.stderr
    token.write_text('{"refresh_token": "x"}')
    assert run("-c", path, "--check", "--token-file", token).returncode == 0


def test_a_file_that_is_not_there_is_named_with_the_reason(tmp_path):
    done = run("-c", tmp_path / "none.conf", "--check")
    assert done.returncode == 1
    assert f'configuration file "{tmp_path}/none.conf": No such file' in done.stderr


def test_check_help_and_version_end_well(tmp_path):
    path = tmp_path / "a.conf"
    path.write_text('agent_id = "a";\nserver_address = "h";\njob_queues = [ "q" ];\n')
    assert run("-c", path, "--check").returncode == 0
    assert run("--version").stdout.startswith("testflinger-agent ")
    assert "--token-file" in run("--help").stdout
    assert run("--nonsense").returncode == 2
    assert run("argument").returncode == 2


def test_the_samples_pass_their_own_check():
    root = pathlib.Path(__file__).resolve().parents[2]
    for name in ("data/testflinger-agent.conf", "examples/agent.conf", "examples/lab-agent.conf",
                 "examples/qemu-agent.conf"):
        done = run("-c", root / name, "--check")
        assert done.returncode == 0, done.stderr


def test_the_log_of_an_earlier_day_is_put_away(fake, make_agent, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    old = logs / "testflinger-agent.log"
    old.write_text("yesterday\n")
    os.utime(old, (1700000000, 1700000000))  # 2023-11-14
    for day in range(1, 9):
        (logs / f"testflinger-agent.log.2023-10-0{day}").write_text("old\n")
    make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    kept = sorted(path.name for path in logs.iterdir())
    assert kept == (["testflinger-agent.log"]
                    + [f"testflinger-agent.log.2023-10-0{day}" for day in range(4, 9)]
                    + ["testflinger-agent.log.2023-11-14"])
    assert "yesterday" in (logs / "testflinger-agent.log.2023-11-14").read_text()
    shutil.rmtree(logs)
