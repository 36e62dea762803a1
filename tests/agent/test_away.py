# SPDX-License-Identifier: GPL-3.0-or-later
"""The server is away, slow, confused or does not believe the agent."""
import subprocess

import pytest

from agent import Agent
from fakeserver import AGENT_TOKEN, FakeServer
from wait import wait_for


def test_an_outcome_that_could_not_be_sent_is_sent_later_and_once(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; "
                                    "seq 1 1000; mkdir artifacts; echo x > artifacts/file",
                       cleanup_command="echo cleaned")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    fake.stop()
    gate.touch()
    wait_for(lambda: agent.kept_dir(job).exists(), 120)
    assert job.completions == 0
    fake.start()
    fake.wait_complete(job)
    wait_for(lambda: not agent.kept_dir(job).exists())
    after = fake.add_job(test_data={"a": 1})
    fake.wait_complete(after)
    assert job.completions == 1
    assert len(job.artifacts) == 1
    assert job.status == {"test": 0, "cleanup": 0}
    assert job.log("test").splitlines()[4:] == [str(n) for n in range(1, 1001)]
    assert job.log("cleanup").endswith("cleaned\n")
    numbers = [fragment["fragment_number"] for fragment in job.fragments["output"]]
    assert numbers == list(range(len(numbers)))


def test_a_kept_outcome_survives_the_agent(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; echo end")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test"))
    fake.stop()
    gate.touch()
    wait_for(lambda: agent.kept_dir(job).exists(), 120)
    agent.kill()
    fake.start()
    agent.start()
    fake.wait_complete(job)
    wait_for(lambda: not agent.kept_dir(job).exists())
    assert job.completions == 1
    assert job.status == {"test": 0}
    assert job.log("test").endswith("begun\nend\n")


def result_of(job):
    return f"/v1/result/{job.definition['job_id']}"


def test_a_job_claimed_anew_is_not_delivered_as_it_was_before(fake, make_agent):
    agent = make_agent(test_command="echo tested")
    away = fake.overrule("POST", "/v1/result/[^/]*", 503)
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: agent.kept_dir(job).exists(), 120)
    delivery = fake.hold("POST", "/v1/result/[^/]*", text=b'"job_state":"complete"')
    away.times = 0
    delivery.wait_reached()
    again = fake.add_job(job_id=job.definition["job_id"], test_data={"a": 1})
    wait_for(lambda: "tested" in again.log("test"))
    delivery.release()
    fake.wait_complete(again)
    wait_for(lambda: not agent.record(again).exists())
    assert again.status == {"test": 0}
    assert not agent.job_dir(again).exists() and not agent.kept_dir(again).exists()


def test_a_kept_outcome_is_brought_while_the_next_job_runs(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; "
                                    "mkdir artifacts; echo x > artifacts/file")
    first = fake.add_job(test_data={"a": 1}, job_status_webhook="http://hook.test/x")
    wait_for(lambda: "begun" in first.log("test"))
    rule = fake.overrule("POST", result_of(first) + ".*", 503)
    gate.touch()
    wait_for(lambda: agent.kept_dir(first).exists(), 120)
    gate.unlink()
    second = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in second.log("test"))
    looked = len(fake.seen("POST", result_of(first) + ".*"))
    wait_for(lambda: len(fake.seen("POST", result_of(first) + ".*")) > looked)
    assert first.completions == 0
    rule.times = 0
    fake.wait_complete(first)
    wait_for(lambda: not agent.kept_dir(first).exists())
    assert second.completions == 0
    assert second.states == ["test"]
    assert len(first.artifacts) == 1
    wait_for(lambda: "job_end" in first.event_names())
    gate.touch()
    fake.wait_complete(second)
    assert first.completions == 1
    assert first.status == second.status == {"test": 0}
    for job in (first, second):
        numbers = [fragment["fragment_number"] for fragment in job.fragments["output"]]
        assert numbers == list(range(len(numbers)))


def test_a_job_that_cannot_be_begun_is_reported_once_also_after_an_outage(fake, make_agent):
    agent = make_agent(test_command="true")
    job = fake.add_job(test_data={"secrets": {f"S{n}": f"secret-{n}" for n in range(1001)}})
    rule = fake.overrule("POST", result_of(job), 503)
    wait_for(lambda: fake.seen("POST", result_of(job)))
    after = fake.add_job(test_data={"a": 1})
    fake.wait_complete(after)
    rule.times = 0
    fake.wait_complete(job)
    wait_for(lambda: not agent.kept_dir(job).exists() and not agent.job_dir(job).exists())
    assert job.completions == 1
    assert job.status == {"setup": 1}
    assert "the job cannot be begun" in job.log("setup")


def test_one_outcome_that_cannot_be_brought_does_not_hold_up_the_others(fake, make_agent):
    agent = make_agent(test_command="true")
    jobs = [fake.add_job(test_data={"a": 1}, job_id=f"00000000-0000-4000-8000-00000000000{n}")
            for n in range(3)]
    rules = [fake.overrule("POST", result_of(job), 503) for job in jobs]
    for job in jobs:
        wait_for(lambda job=job: agent.kept_dir(job).exists(), 120)
    for rule in rules[1:]:
        rule.times = 0
    for job in jobs[1:]:
        fake.wait_complete(job)
    assert jobs[0].completions == 0
    rules[0].times = 0
    fake.wait_complete(jobs[0])
    wait_for(lambda: not list((agent.dir / "results").glob("[!.]*")))
    assert [job.completions for job in jobs] == [1, 1, 1]


def test_an_agent_that_is_stopped_while_it_brings_an_outcome_brings_it_later(fake, make_agent):
    agent = make_agent(test_command="true")
    job = fake.add_job(test_data={"a": 1})
    rule = fake.overrule("POST", result_of(job), 503)
    wait_for(lambda: agent.kept_dir(job).exists(), 120)
    hold = fake.hold("POST", result_of(job), text=b"complete")
    rule.times = 0
    hold.wait_reached()
    assert agent.stop() == 0
    fake.overrule("POST", result_of(job), 0, times=1)
    hold.release()
    agent.start()
    fake.wait_complete(job)
    wait_for(lambda: not agent.kept_dir(job).exists())
    assert job.completions == 1


def test_output_of_an_outage_arrives_when_the_server_is_back(fake, make_agent, tmp_path):
    gate = tmp_path / "gate"
    make_agent(test_command=f"echo begun; seq 1 20000; until [ -e {gate} ]; do sleep 0.1; done")
    rule = fake.overrule("POST", "/v1/result/.*/log/output", 503)
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: len(fake.seen("POST", "/v1/result/.*/log/output")) > 6)
    assert not job.fragments["output"]
    rule.times = 0
    wait_for(lambda: "20000\n" in job.log("test"))
    gate.touch()
    fake.wait_complete(job)
    assert job.log("test").splitlines()[4:] == [str(n) for n in range(1, 20001)]


@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_request_that_failed_is_repeated(fake, make_agent, status):
    make_agent(test_command="echo hello")
    for pattern in ("/v1/result/[^/]*", "/v1/result/.*/log/output", "/v1/agents/data/.*"):
        fake.overrule("POST", pattern, status, times=3)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    assert job.log("test").endswith("hello\n")


def test_the_agent_waits_for_a_server_that_is_not_there_yet(fake, make_agent):
    fake.stop()
    agent = make_agent(test_command="true")
    wait_for(lambda: agent.process.output().count("event=server") >= 2)
    fake.start()
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)


def test_an_outcome_the_server_refuses_is_not_sent_for_ever(fake, make_agent):
    agent = make_agent(test_command="true")
    job = fake.add_job(test_data={"a": 1})
    fake.overrule("POST", f"/v1/result/{job.definition['job_id']}", 404)
    after = fake.add_job(test_data={"a": 1})
    fake.wait_complete(after)
    assert (agent.dir / "run" / f"{job.definition['job_id']}.refused").exists()


def test_an_answer_that_is_no_job_does_not_stop_the_agent(fake, make_agent):
    for body in (b"", b"nonsense", b"[]", b"{}", b'{"job_id": "../../etc"}', b'{"job_id": 7}'):
        fake.overrule("GET", "/v1/job", 200, body, times=1)
    make_agent(test_command="true", polling_interval=1)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)


def test_a_webhook_that_is_down_does_not_hold_the_job_up(fake, make_agent):
    fake.overrule("POST", "/v1/job/.*/events", 502)
    make_agent(setup_command="true", test_command="true")
    job = fake.add_job(test_data={"a": 1}, job_status_webhook="http://hook.test/x")
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "test": 0}


def test_device_info_is_posted_until_it_succeeds_before_others_use_the_device(fake, make_agent):
    path = "/v1/result/[^/]*"
    agent = make_agent(allocate_command="echo '{\"device_info\": {\"a\": 1}}' > device-info.json; "
                                        "echo allocated")
    job = fake.add_job(allocate_data={"allocate": True})
    wait_for(lambda: "allocated" in job.log("allocate"))
    rule = fake.overrule("POST", path, 503)
    seen = len(fake.seen("POST", path))
    wait_for(lambda: len(fake.seen("POST", path)) > seen + 12)
    assert "allocated" not in job.states
    rule.times = 0
    wait_for(lambda: "allocated" in job.states)
    assert job.device_info == {"a": 1}
    assert agent.stop() == 0
    assert job.status == {"allocate": 0}
    assert job.states[-1] == "complete"


def test_an_upload_that_fails_is_repeated_later_and_the_outcome_waits_for_it(fake, make_agent):
    agent = make_agent(test_command="mkdir artifacts; echo x > artifacts/file")
    rule = fake.overrule("POST", "/v1/result/.*/artifact", 503)
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: agent.kept_dir(job).exists())
    assert job.completions == 0
    rule.times = 0
    fake.wait_complete(job)
    assert len(job.artifacts) == 1


def test_an_upload_the_server_refuses_does_not_hold_the_outcome_up(fake, make_agent):
    make_agent(test_command="mkdir artifacts; echo x > artifacts/file")
    fake.overrule("POST", "/v1/result/.*/artifact", 413)
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"test": 0}


def test_a_token_file_that_is_missing_stops_the_start(fake, tmp_path):
    agent = Agent(tmp_path, fake.url)
    command = agent.command() + ["--token-file", str(tmp_path / "nothing")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "nothing" in done.stderr


class TestAuthentication:
    @pytest.fixture
    def fake(self):
        server = FakeServer(authenticated=True).start()
        yield server
        server.stop()

    def test_the_refresh_token_is_exchanged_and_the_job_runs(self, fake, make_agent):
        make_agent(test_command="echo hello", token=AGENT_TOKEN)
        job = fake.add_job(test_data={"a": 1})
        fake.wait_complete(job)
        assert len(fake.seen("POST", "/v1/oauth2/refresh")) == 1

    def test_a_token_that_expires_in_mid_job_is_replaced(self, fake, make_agent, tmp_path):
        gate = tmp_path / "gate"
        make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done; echo end",
                   token=AGENT_TOKEN)
        job = fake.add_job(test_data={"a": 1})
        wait_for(lambda: "begun" in job.log("test"))
        fake.forget_tokens()
        gate.touch()
        fake.wait_complete(job)
        assert job.status == {"test": 0}
        assert job.log("test").endswith("begun\nend\n")
        assert len(fake.seen("POST", "/v1/oauth2/refresh")) >= 2

    def test_an_agent_without_rights_keeps_asking(self, fake, make_agent):
        rule = fake.overrule("GET", "/v1/job", 403, b'{"message": "not allowed"}')
        agent = make_agent(test_command="true", token=AGENT_TOKEN)
        job = fake.add_job(test_data={"a": 1})
        wait_for(lambda: len(fake.seen("GET", "/v1/job")) > 1)
        assert "not authorised" in agent.process.output()
        rule.times = 0
        fake.wait_complete(job)

    def test_a_refused_refresh_token_is_logged(self, fake, make_agent):
        agent = make_agent(test_command="true", token="wrong")
        wait_for(lambda: "could not get an access token" in agent.process.output())
        assert "wrong" not in agent.process.output()
