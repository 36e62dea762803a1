# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands of a job start: how long it may live, and how much it may take; with a control
group and without."""
import os
import pathlib
import uuid

import pytest

from agent import processes_with, wait_gone
from wait import wait_for

WEBHOOK = "http://hook.test/x"


def has_group(agent):
    wait_for(lambda: "event=start" in agent.process.output())
    return "event=cgroup none" not in agent.process.output()


@pytest.fixture(params=["without a group", "in a group"])
def make_confined(request, make_agent):
    """Agents whose jobs run in a control group, or do not."""
    def make(**options):
        wanted = request.param == "in a group"
        agent = make_agent(name=f"agent-{uuid.uuid4()}", cgroup=wanted, **options)
        if wanted and not has_group(agent):
            pytest.skip("no control group can be made here: "
                        + agent.process.output().split("event=cgroup")[1].splitlines()[0])
        return agent
    return make


@pytest.fixture
def mark():
    return f"8{uuid.uuid4().int % 10**8}"


def finds(mark):
    """A command that fails unless a process with the mark lives; it does not find itself."""
    return f"pgrep -f 'sleep {mark[:1]}[{mark[1]}]{mark[2:]}'"


def test_what_a_good_phase_leaves_running_lives_until_the_job_ends(fake, make_confined, mark):
    make_confined(setup_command=f"setsid sleep {mark} & echo up",
                  provision_command="echo between", test_command=finds(mark),
                  cleanup_command=finds(mark))
    job = fake.add_job(provision_data={"a": 1}, test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "provision": 0, "test": 0, "cleanup": 0}
    assert not processes_with(f"sleep {mark}")


def test_what_a_failed_phase_leaves_running_ends_with_it(fake, make_confined, mark):
    make_confined(test_command=f"setsid sleep {mark} & sleep {mark} & exit 3",
                  reserve_command=f"{finds(mark)} && exit 1; exit 0")
    job = fake.add_job(test_data={"a": 1}, reserve_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 3, "reserve": 0}
    wait_gone(f"sleep {mark}")


def test_a_phase_that_is_stopped_leaves_what_earlier_ones_started(fake, make_confined, mark):
    other = "9" + mark[1:]
    make_confined(setup_command=f"setsid sh -c 'sleep {mark}; :' & echo up",
                  test_command=f"echo begun; setsid sleep {other} & sleep 1000",
                  cleanup_command=f"{finds(mark)} || exit 1; {finds(other)} && exit 2; exit 0")
    job = fake.add_job(test_data={"a": 1}, output_timeout=1)
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "test": 143, "cleanup": 0}
    assert not processes_with(f"sleep {mark}")


def test_what_ignores_term_at_the_end_of_the_job_is_killed(fake, make_confined, mark):
    make_confined(setup_command=f"""(trap "" TERM; while :; do sleep {mark}; done) &
                                    setsid sh -c 'trap "" TERM; while :; do sleep {mark}; done' &
                                    echo up""")
    job = fake.add_job()
    fake.wait_complete(job)
    assert job.status == {"setup": 0}
    assert not processes_with(mark)


def test_nobody_waits_for_a_daemon_that_holds_the_output_open(fake, make_confined, mark):
    make_confined(setup_command=f"sh -c 'while sleep 0.05; do echo chatter; done; : {mark}' & "
                                "echo up",
                  test_command=f"sleep 0.5; pgrep -f 'chatter.*: {mark[:1]}[{mark[1]}]{mark[2:]}'",
                  output_timeout=100)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "test": 0}  # neither blocked nor ended by SIGPIPE
    assert "up\n" in job.log("setup")
    assert "chatter" not in job.log("test")
    assert not processes_with(mark)


def test_an_agent_that_ends_takes_daemons_with_it(fake, make_confined, mark):
    agent = make_confined(setup_command=f"setsid sleep {mark} & echo up",
                          test_command="echo begun; sleep 1000")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    assert agent.stop() == 0
    assert not processes_with(f"sleep {mark}")


def test_daemons_of_an_agent_that_was_killed_are_ended_by_the_next(fake, make_confined, mark):
    agent = make_confined(setup_command=f"setsid sleep {mark} & env -i setsid sleep {mark} & echo up",
                          test_command="echo begun; sleep 1000", cleanup_command=f"! {finds(mark)}")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    agent.kill()
    left = processes_with(f"sleep {mark}")
    assert len(left) == 2
    agent.options["test_command"] = "true"
    agent.start()
    if agent.options["cgroup"]:  # the group knows also those that hide
        fake.wait_complete(job)
        assert job.status == {"setup": 0, "test": 137, "cleanup": 0}
    else:
        wait_for(lambda: len(processes_with(f"sleep {mark}")) == 1)
        os.kill(processes_with(f"sleep {mark}")[0], 9)
        fake.wait_complete(job)


# --- control groups --------------------------------------------------------------------

@pytest.fixture
def make_grouped(make_agent):
    def make(**options):
        agent = make_agent(name=f"agent {uuid.uuid4()}", cgroup=True, **options)
        if not has_group(agent):
            pytest.skip("no control group can be made here")
        return agent
    return make


def group_of(agent):
    """The directory of the group of a process that runs now."""
    name = f"testflinger-{agent.name.replace(' ', '%20')}"
    return next(iter(pathlib.Path("/sys/fs/cgroup").glob(f"**/{name}")), None)


def test_a_job_runs_in_a_group_that_is_gone_afterwards(fake, make_grouped, tmp_path):
    gate = tmp_path / "gate"
    agent = make_grouped(setup_command="cat /proc/self/cgroup; sleep 1000 &",
                         test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    group = group_of(agent)
    assert f"/{group.name}\n" in job.log("setup")
    assert len((group / "cgroup.procs").read_text().split()) >= 2
    assert str(agent.process.pid) not in (group / "cgroup.procs").read_text().split()
    (group / "made-by-the-job").mkdir()
    gate.touch()
    fake.wait_complete(job)
    assert not group.exists()


def test_an_agent_that_may_not_make_a_group_says_so_once(fake, make_agent):
    agent = make_agent(cgroup=False, memory_max=1 << 30, test_command="true")
    for _ in range(2):
        job = fake.add_job(test_data={"a": 1})
        fake.wait_complete(job)
    assert agent.process.output().count("event=cgroup none") == 1
    assert agent.process.output().count("limits of jobs are not set") == 1


def controllers(group):
    return (group.parent / "cgroup.subtree_control").read_text().split()


def test_limits_hold_for_all_that_a_job_runs(fake, make_grouped, tmp_path):
    gate = tmp_path / "gate"
    agent = make_grouped(memory_max=64 << 20, pids_max=20,
                         setup_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done",
                         test_command="i=0; while [ $i -lt 40 ]; do sleep 1000 & i=$((i+1)); done")
    if "limits of jobs are not set" in agent.process.output():
        pytest.skip("no controllers for memory and pids here: "
                    + agent.process.output().split("limits of jobs")[1].splitlines()[0])
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("setup"))
    group = group_of(agent)
    assert {"memory", "pids"} <= set(controllers(group))
    assert (group / "memory.max").read_text() == f"{64 << 20}\n"
    assert (group / "pids.max").read_text() == "20\n"
    gate.touch()
    fake.wait_complete(job)
    assert job.status["test"] != 0


def test_memory_beyond_the_limit_ends_the_command_and_the_log_says_why(fake, make_grouped):
    agent = make_grouped(memory_max=64 << 20,
                         test_command="python3 -c 'x = bytearray(256 << 20)'; exit $?")
    if "limits of jobs are not set" in agent.process.output():
        pytest.skip("no controller for memory here")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 137}
    assert "memory_max of the agent was reached" in job.log("test")
