# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a phase before its command does, and that nothing of a command survives it."""
import signal
import uuid

from agent import processes_with
from wait import wait_for

WEBHOOK = "http://hook.test/x"


def test_a_cancel_stops_the_test_and_cleanup_runs(fake, make_agent):
    make_agent(test_command="echo begun; sleep 1000", cleanup_command="echo clean",
               reserve_command="echo no")
    job = fake.add_job(test_data={"a": 1}, reserve_data={"a": 1}, job_status_webhook=WEBHOOK)
    wait_for(lambda: "begun" in job.log("test"))
    fake.cancel(job)
    fake.wait_complete(job)
    assert job.status == {"test": 143, "cleanup": 0}
    assert "Job cancellation was requested, exiting" in job.log("test")
    wait_for(lambda: "job_end" in job.event_names())
    assert job.event_names().count("cancelled") == 1
    assert job.events[-1]["detail"] == "cancelled"
    assert job.state == "cancelled"


def test_a_cancel_waits_for_the_end_of_provision(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    make_agent(provision_command=f"echo begun; until [ -e {gate} ]; do sleep 0.1; done; echo done",
               test_command="echo no", cleanup_command="true")
    job = fake.add_job(provision_data={"a": 1}, test_data={"a": 1}, job_status_webhook=WEBHOOK)
    wait_for(lambda: "begun" in job.log("provision"))
    fake.cancel(job)
    seen = f"/v1/result/{job.definition['job_id']}"
    looked = len(fake.seen("GET", seen))
    wait_for(lambda: len(fake.seen("GET", seen)) > looked + 1)
    gate.touch()
    fake.wait_complete(job)
    assert job.status == {"provision": 0, "cleanup": 0}
    assert job.log("provision").endswith("done\n")
    wait_for(lambda: "job_end" in job.event_names())
    assert job.event_names().count("cancelled") == 1


def test_the_output_timeout_ends_a_silent_test(fake, make_agent):
    make_agent(test_command="echo begun; sleep 1000", cleanup_command="true")
    job = fake.add_job(test_data={"a": 1}, output_timeout=1, job_status_webhook=WEBHOOK)
    fake.wait_complete(job)
    assert job.status["test"] == 143
    assert "Output timeout reached" in job.log("test")
    wait_for(lambda: "job_end" in job.event_names())
    names = job.event_names()
    assert names.index("output_timeout") < names.index("test_fail")
    assert job.events[-1]["detail"] == "output_timeout"


def test_the_output_timeout_is_for_the_test_alone(fake, make_agent):
    make_agent(setup_command="sleep 2.5", output_timeout=1)
    job = fake.add_job()
    fake.wait_complete(job)
    assert job.status == {"setup": 0}


def test_the_global_timeout_ends_a_busy_phase(fake, make_agent):
    make_agent(setup_command="while :; do echo busy; sleep 0.1; done", global_timeout=1)
    job = fake.add_job(global_timeout=1000, job_status_webhook=WEBHOOK)
    fake.wait_complete(job)
    assert job.status == {"setup": 143}
    assert "Global timeout reached" in job.log("setup")
    wait_for(lambda: "job_end" in job.event_names())
    assert "global_timeout" in job.event_names()


def test_a_reservation_has_no_global_timeout(fake, make_agent):
    make_agent(reserve_command="sleep 2.5", global_timeout=1)
    job = fake.add_job(reserve_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"reserve": 0}


def test_children_that_ignore_term_are_killed_after_the_grace(fake, make_agent):
    mark = f"9{uuid.uuid4().int % 10**8}"
    make_agent(test_command=f"""trap "" TERM
        setsid sh -c 'trap "" TERM; while :; do sleep {mark}; done' &
        (trap "" TERM; while :; do sleep {mark}; done) &
        nohup sleep {mark} >/dev/null 2>&1 &
        echo begun; while :; do sleep {mark}; done""")
    job = fake.add_job(test_data={"a": 1}, output_timeout=1)
    wait_for(lambda: "begun" in job.log("test"))
    fake.wait_complete(job)
    assert job.status == {"test": 137}
    assert not processes_with(mark)


def test_term_ends_the_agent_after_cleanup_and_report(fake, make_agent):
    mark = f"7{uuid.uuid4().int % 10**8}"
    agent = make_agent(test_command=f"echo begun; sleep {mark}", cleanup_command="echo cleaned",
                       reserve_command="echo no")
    job = fake.add_job(test_data={"a": 1}, reserve_data={"a": 1}, job_status_webhook=WEBHOOK)
    wait_for(lambda: "begun" in job.log("test"))
    assert agent.stop(signal.SIGTERM) == 0
    assert job.completions == 1
    assert job.status == {"test": 143, "cleanup": 0}
    assert "cleaned" in job.log("cleanup")
    assert job.events[-1] == {**job.events[-1], "event_name": "job_end", "detail": "agent_stopped"}
    assert not processes_with(mark)
    assert not list((agent.dir / "run").glob("[0-9a-f]*"))
    assert fake.agent["job_id"] == ""
    assert fake.agent["state"] == "waiting"


def test_a_second_term_does_not_wait_for_cleanup(fake, make_agent):
    agent = make_agent(cleanup_command="echo cleaning; sleep 1000", stop_timeout=600)
    job = fake.add_job()
    wait_for(lambda: "cleaning" in job.log("cleanup"))
    agent.process.send(signal.SIGTERM)
    wait_for(lambda: "asked to end" in agent.process.output())
    assert agent.process.running()
    assert agent.stop(signal.SIGTERM) == 0
    assert agent.kept_dir(job).exists()


def test_a_second_term_ends_an_agent_that_can_neither_send_nor_keep_an_outcome(fake, make_agent,
                                                                               tmp_path):
    agent = make_agent(test_command=f"echo begun; until [ -e {tmp_path}/gate ]; do sleep 0.05; done; "
                                    f"rm -r {tmp_path}/results",
                       stop_timeout=600, server_pause_min=1000, server_pause_max=1000)
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    fake.stop()
    (tmp_path / "gate").touch()
    wait_for(lambda: "event=keep" in agent.process.output(), 120)
    agent.process.send(signal.SIGTERM)
    wait_for(lambda: "asked to end" in agent.process.output())
    assert agent.stop(signal.SIGTERM) == 0


def test_a_job_that_could_not_be_begun_is_reported_though_the_agent_ends(fake, make_agent):
    agent = make_agent(test_command="true")
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    report = fake.hold("POST", "/v1/result/[^/]*")
    job_id = str(uuid.uuid4())
    # in the way of the job's directory, and deeper than what is removed
    (agent.dir / "run" / job_id / "/".join("d" * 110)).mkdir(parents=True)
    job = fake.add_job(job_id=job_id, test_data={"a": 1})
    report.wait_reached()
    agent.process.send(signal.SIGTERM)
    wait_for(lambda: "asked to end" in agent.process.output())
    fake.overrule("POST", "/v1/result/[^/]*", 0, times=1)  # the request is lost
    report.release()
    wait_for(lambda: not agent.process.running())
    assert job.completions == 1
    assert job.status == {"setup": 1}


def test_a_cancel_is_seen_before_the_next_phase(fake, make_agent):
    make_agent(setup_command="true", test_command="echo no", cleanup_command="true",
               cancel_interval=3600)
    job = fake.add_job(test_data={"a": 1})
    fake.overrule("GET", f"/v1/result/{job.definition['job_id']}", 200, b'{"job_state": "setup"}', 1)
    fake.overrule("GET", f"/v1/result/{job.definition['job_id']}", 200,
                  b'{"setup_output": "\\"job_state\\": \\"running\\"", "job_state": "cancelled"}', 1)
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "cleanup": 0}
