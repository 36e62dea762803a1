# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent is killed at every moment of a job: what it reports when it is back is the truth."""
import os
import signal
import subprocess

import pytest

from agent import Agent
from wait import wait_for

WEBHOOK = "http://hook.test/x"
OUTCOME = b'"job_state":"complete"'
COMMANDS = {"setup_command": "echo set up", "provision_command": "echo provisioned",
            "test_command": "echo tested", "cleanup_command": "echo cleaned"}
DATA = {"provision_data": {"a": 1}, "test_data": {"a": 1}, "job_status_webhook": WEBHOOK}


def result_of(job):
    return f"/v1/result/{job.definition['job_id']}"


def kill_at(agent, hold):
    hold.wait_reached()
    agent.kill()
    hold.release()


def wait_reported(fake, agent, job, numbered=True):
    fake.wait_complete(job)
    wait_for(lambda: not agent.job_dir(job).exists() and not agent.kept_dir(job).exists())
    wait_for(lambda: not agent.record(job).exists())
    wait_for(lambda: "job_end" in job.event_names())
    assert job.completions == 1
    numbers = [fragment["fragment_number"] for fragment in job.fragments["output"]]
    assert numbers == (list(range(len(numbers))) if numbered else sorted(numbers))
    assert not list(agent.dir.rglob(f"*{job.definition['job_id']}*"))


def assert_lost(job, phase, where):
    assert job.status[phase] == 137
    assert f"the agent was lost {where} the {phase} phase" in job.log(phase)
    assert job.event_names().count("agent_lost") == 1
    assert job.events[-1]["event_name"] == "job_end"
    assert job.events[-1]["detail"] == "agent_lost"


def test_killed_before_the_first_phase(fake, make_agent):
    agent = make_agent(**COMMANDS)
    hold = fake.hold("GET", "/v1/job/.*/attachments")
    job = fake.add_job(attachments=b"x", **DATA)
    kill_at(agent, hold)
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 137, "cleanup": 0}
    assert_lost(job, "setup", "before")
    assert "cleaned" in job.log("cleanup")


def test_killed_while_the_directory_was_being_made(fake, make_agent):
    agent = make_agent(start=False, **COMMANDS)
    job = fake.add_job(**DATA)
    fake.waiting.remove(job)  # given to the agent that died
    agent.record(job).parent.mkdir(parents=True)
    agent.record(job).touch()
    agent.start()
    fake.wait_complete(job)
    assert job.status == {"setup": 137, "cleanup": 0}
    assert "the agent was lost before the setup phase" in job.log("setup")
    wait_for(lambda: not agent.record(job).exists() and not agent.job_dir(job).exists())


def test_a_job_of_which_nothing_is_known_does_not_look_done(fake, make_agent):
    agent = make_agent(start=False, test_command="true")
    job = fake.add_job(**DATA)
    fake.waiting.remove(job)
    agent.record(job).parent.mkdir(parents=True)
    agent.record(job).touch()
    agent.start()
    fake.wait_complete(job)
    assert job.status == {"setup": 137}


def test_killed_between_two_phases(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(**{**COMMANDS, "provision_command":
                          f"echo provisioned; until [ -e {gate} ]; do sleep 0.05; done"})
    report = fake.hold("POST", "/v1/result/[^/]*", text=b'"provision":0}')
    job = fake.add_job(**DATA)
    wait_for(lambda: "provisioned" in job.log("provision"))
    question = fake.hold("GET", result_of(job))  # the next phase does not wait for reports
    gate.touch()
    kill_at(agent, report)
    question.release()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 0, "test": 137, "cleanup": 0}
    assert_lost(job, "test", "before")
    assert "tested" not in job.log("test")


def test_killed_in_a_phase(fake, make_agent):
    agent = make_agent(**{**COMMANDS, "provision_command": "echo begun; sleep 1000"})
    job = fake.add_job(**DATA)
    wait_for(lambda: "begun" in job.log("provision"))
    agent.kill()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 137, "cleanup": 0}
    assert_lost(job, "provision", "in")
    assert job.log("provision").count("begun") == 1
    assert job.log("test") == ""


def test_a_job_cannot_have_its_loss_reported_as_that_of_another(fake, make_agent):
    other = fake.add_job(job_queue="of-nobody")
    other_id = other.definition["job_id"]
    agent = make_agent(test_command=f"echo '{{\"job_id\": \"{other_id}\"}}' > testflinger.json; "
                                    "echo begun; sleep 1000", cleanup_command="echo cleaned")
    job = fake.add_job(**DATA)
    wait_for(lambda: "begun" in job.log("test"))
    agent.kill()
    agent.start()
    fake.wait_complete(job)
    assert job.status == {"test": 137, "cleanup": 0}
    assert "the agent was lost in the test phase" in job.log("test")
    assert other.completions == 0 and not fake.seen("POST", result_of(other) + ".*")


FORGED = ("for f in testflinger-outcome.json .testflinger-agent.json; do "
          "echo '{\"over\": 1, \"status\": {\"setup\": 0, \"test\": 0}}' > $f; done; ")


def test_a_job_cannot_write_what_its_phases_came_to(fake, make_agent):
    agent = make_agent(**{**COMMANDS, "provision_command": "exit 0",
                          "test_command": FORGED + "echo begun; sleep 1000"})
    job = fake.add_job(**DATA)
    wait_for(lambda: "begun" in job.log("test"))
    agent.kill()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 0, "test": 137, "cleanup": 0}
    assert_lost(job, "test", "in")


def test_a_job_that_removes_its_directory_is_reported(fake, make_agent):
    agent = make_agent(**{**COMMANDS, "test_command":
                          "rm -rf \"$PWD\"; echo begun; sleep 1000"})
    job = fake.add_job(**DATA)
    wait_for(lambda: "begun" in job.log("test"))
    agent.kill()
    agent.start()
    # a fragment on its way when the agent died cannot be read again: the next has its number
    wait_reported(fake, agent, job, numbered=False)
    assert job.status == {"setup": 0, "provision": 0, "test": 137, "cleanup": 0}
    assert job.events[-1]["detail"] == "agent_lost"


def test_a_job_that_changes_its_definition_has_its_loss_reported(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(**{**COMMANDS, "provision_command":
                          "echo '{}' > testflinger.json; echo provisioned; "
                          f"until [ -e {gate} ]; do sleep 0.05; done"})
    job = fake.add_job(**DATA)
    wait_for(lambda: "provisioned" in job.log("provision"))
    question = fake.hold("GET", result_of(job))
    gate.touch()
    kill_at(agent, question)
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 0, "test": 137, "cleanup": 0}
    assert_lost(job, "test", "before")


def test_killed_in_cleanup_after_a_failure(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(**{**COMMANDS, "provision_command": "exit 3",
                          "cleanup_command": f"echo cleaning; until [ -e {gate} ]; do sleep 0.05; "
                                             "done; echo cleaned"})
    job = fake.add_job(**DATA)
    wait_for(lambda: "cleaning" in job.log("cleanup"))
    agent.kill()
    gate.touch()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 3, "cleanup": 0}
    assert job.log("cleanup").endswith("cleaned\n")
    assert job.log("test") == ""
    assert job.events[-1]["detail"] == "agent_lost"


def test_killed_in_cleanup_when_all_else_went_well(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(**{**COMMANDS, "cleanup_command": f"echo cleaning; "
                          f"until [ -e {gate} ]; do sleep 0.05; done"})
    job = fake.add_job(**DATA)
    wait_for(lambda: "cleaning" in job.log("cleanup"))
    agent.kill()
    gate.touch()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 0, "test": 0, "cleanup": 0}


def test_a_cleanup_that_kills_its_agent_is_not_run_for_ever(fake, make_agent):
    agent = make_agent(**{**COMMANDS, "cleanup_command": "kill -9 $PPID; sleep 1000"})
    job = fake.add_job(**DATA)
    for _ in range(4):
        wait_for(lambda: not agent.process.running())
        agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 0, "test": 0, "cleanup": 137}


def test_killed_while_others_use_the_device(fake, make_agent):
    agent = make_agent(allocate_command="true", cleanup_command="true")
    job = fake.add_job(allocate_data={"allocate": True}, job_status_webhook=WEBHOOK)
    wait_for(lambda: "allocated" in job.states)
    agent.kill()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"allocate": 137, "cleanup": 0}
    assert_lost(job, "allocate", "in")


def test_killed_in_a_reservation_that_follows_an_allocation(fake, make_agent):
    agent = make_agent(allocate_command="true", reserve_command="echo begun; sleep 1000")
    job = fake.add_job(allocate_data={"allocate": True}, reserve_data={"a": 1},
                       parent_job_id="00000000-0000-4000-8000-000000000009",
                       job_status_webhook=WEBHOOK)
    wait_for(lambda: "begun" in job.log("reserve"))
    agent.kill()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"allocate": 0, "reserve": 137}


def test_killed_while_artifacts_are_uploaded(fake, make_agent):
    agent = make_agent(**{**COMMANDS, "test_command": "mkdir artifacts; echo x > artifacts/file"})
    hold = fake.hold("POST", "/v1/result/.*/artifact")
    job = fake.add_job(**DATA)
    kill_at(agent, hold)
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 0, "test": 0, "cleanup": 0}
    assert job.artifacts
    assert job.events[-1]["detail"] == "normal_exit"


@pytest.mark.parametrize("arrived", [False, True])
def test_killed_while_the_outcome_is_posted(fake, make_agent, arrived):
    agent = make_agent(**COMMANDS)
    hold = fake.hold("POST", "/v1/result/[^/]*", late=arrived, text=OUTCOME)
    job = fake.add_job(**DATA)
    hold.wait_reached()
    agent.kill()
    if not arrived:  # the request is lost with the connection
        fake.overrule("POST", result_of(job), 0, times=1)
    hold.release()
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 0, "test": 0, "cleanup": 0}
    assert job.events[-1]["detail"] == "normal_exit"


def test_killed_while_the_directory_was_being_removed(fake, make_agent):
    agent = make_agent(start=False, **COMMANDS)
    job = fake.add_job(**DATA)
    fake.waiting.remove(job)
    (agent.job_dir(job) / "artifacts").mkdir(parents=True)
    agent.owner(job).symlink_to(agent.name)
    agent.record(job).parent.mkdir(parents=True)
    agent.record(job).write_text('{"over": 1, "done": 1}')
    agent.start()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    assert not agent.job_dir(job).exists() and not agent.record(job).exists()
    assert not fake.seen("POST", "/v1/result/.*")


def test_killed_twice_the_loss_is_told_once(fake, make_agent):
    agent = make_agent(**{**COMMANDS, "provision_command": "echo begun; sleep 1000",
                          "cleanup_command": "echo cleaning; sleep 1000"})
    job = fake.add_job(**DATA)
    wait_for(lambda: "begun" in job.log("provision"))
    agent.kill()
    agent.start()
    wait_for(lambda: "cleaning" in job.log("cleanup"))
    agent.kill()
    agent.options["cleanup_command"] = "echo cleaned"
    agent.start()
    wait_reported(fake, agent, job)
    assert job.status == {"setup": 0, "provision": 137, "cleanup": 0}
    assert job.log("provision").count("the agent was lost") == 1


def test_a_job_that_the_agent_leaves_between_two_phases_does_not_look_done(fake, make_agent):
    agent = make_agent(**COMMANDS)
    hold = fake.hold("GET", "/v1/result/.*")
    job = fake.add_job(**DATA)
    hold.wait_reached()
    agent.process.send(signal.SIGTERM)
    wait_for(lambda: "asked to end" in agent.process.output())
    hold.release()
    wait_for(lambda: not agent.process.running())
    assert job.status == {"setup": 143, "cleanup": 0}
    assert "the setup phase is not run" in job.log("setup")
    assert job.events[-1]["detail"] == "agent_stopped"


# --- one process for each name ---------------------------------------------------------

def refused(tmp_path, fake, **options):
    (tmp_path / "other").mkdir(exist_ok=True)
    second = Agent(tmp_path / "other", fake.url, **options)
    done = subprocess.run(second.command(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    return done.stderr


def test_a_second_process_with_the_same_agent_id_is_refused_by_the_host(fake, make_agent, tmp_path):
    agent = make_agent()
    lock = tmp_path / "lock" / "testflinger-agent.agent-1.lock"
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    message = refused(tmp_path, fake, lock_basedir=str(tmp_path / "lock"))
    assert f"process {agent.process.pid} holds \"{lock}\"" in message
    assert 'agent named "agent-1"' in message


def test_the_lock_does_not_outlive_an_agent_that_was_killed(fake, make_agent):
    agent = make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    agent.kill()
    asked = len(fake.seen("GET", "/v1/job"))
    agent.start()
    wait_for(lambda: len(fake.seen("GET", "/v1/job")) > asked)


def test_directories_are_locked_too(fake, make_agent, tmp_path):
    agent = make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    message = refused(tmp_path, fake, execution_basedir=str(tmp_path / "run"))
    assert f"process {agent.process.pid} holds \"{tmp_path}/run/.agent-1.lock\"" in message


def test_a_lock_that_cannot_be_made_is_a_clear_failure(fake, tmp_path):
    (tmp_path / "file").touch()
    message = refused(tmp_path, fake, lock_basedir=str(tmp_path / "file" / "lock"))
    assert str(tmp_path / "file") in message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_lock_file_of_another_user_is_respected(fake, make_agent, tmp_path):
    (tmp_path / "lock").mkdir()
    os.chmod(tmp_path / "lock", 0o1777)
    lock = tmp_path / "lock" / "testflinger-agent.agent-1.lock"
    lock.write_text("")
    os.chown(lock, 65534, 65534)
    agent = make_agent()
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    message = refused(tmp_path, fake, lock_basedir=str(tmp_path / "lock"))
    assert f"process {agent.process.pid} holds" in message
