# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that the server lends for a time: renewals, cancels, and jobs given to somebody else."""
import io
import json
import tarfile

import pytest

from agent import processes_with, wait_gone
from wait import wait_for

HEADER = "Testflinger-Lease"
# everything about a job but the answers of other agents' jobs
ABOUT = r"/v1/(result|job)/{}(/.*)?"


def until(gate):
    return f"until [ -e {gate} ]; do sleep 0.05; done"


def about(fake, job):
    pattern = ABOUT.format(job.definition["job_id"])
    return fake.seen("GET", pattern) + fake.seen("POST", pattern)


def begun(fake, make_agent, command, phase="test", **options):
    """An agent in the middle of a phase of a job that was lent to it."""
    commands = {f"{phase}_command": f"echo begun; {command}", **options}
    agent = make_agent(**commands)
    job = fake.add_job(**{f"{phase}_data": {"a": 1}})
    wait_for(lambda: "begun" in job.log(phase))
    return agent, job


@pytest.fixture
def gate(tmp_path):
    return tmp_path / "gate"


def test_a_lease_is_asked_for_under_another_id_at_each_start(fake, make_agent):
    agent = make_agent(lease_s=45)
    wait_for(lambda: fake.seen("GET", "/v1/job"))
    assert agent.stop() == 0
    before = fake.seen("GET", "/v1/job")
    agent.start()
    wait_for(lambda: len(fake.seen("GET", "/v1/job")) > len(before))
    after = fake.seen("GET", "/v1/job")[len(before):]
    assert {claim.query["lease"][0] for claim in before + after} == {"45"}
    boots = [{claim.query["boot"][0] for claim in claims} for claims in (before, after)]
    assert [len(ids) for ids in boots] == [1, 1] and boots[0] != boots[1]


def test_an_agent_told_not_to_asks_for_none(fake, make_agent):
    fake.offer(lease_s=3, wait_s=300)
    make_agent(lease_s=0, wait_s=0)
    wait_for(lambda: len(fake.seen("GET", "/v1/job")) > 1)
    assert {tuple(claim.query) for claim in fake.seen("GET", "/v1/job")} == {("queue",)}


def test_renewals_come_at_a_third_of_the_lease(fake, make_agent, gate):
    fake.offer(lease_s=3)
    _, job = begun(fake, make_agent, until(gate))
    wait_for(lambda: len(fake.renewals(job)) >= 4)
    gate.touch()
    fake.wait_complete(job)
    assert {r.status for r in fake.renewals(job)} == {200}
    count = len(fake.renewals(job))
    after = fake.add_job(test_data={"a": 1})
    fake.wait_complete(after)
    assert len(fake.renewals(job)) == count, "nothing is renewed after the end"
    looks = fake.seen("GET", f"/v1/result/{job.definition['job_id']}")
    assert len(looks) == 2, "before anything, and before the one phase: nobody looks as well"


def unconfirmed(fake, make_agent, **commands):
    """A job whose agent has not reached the server since it took it; and what keeps it from that."""
    fake.offer(lease_s=60)
    rules = [fake.overrule(method, "/v1/(result|job)/[^/]+(/.*)?", 503) for method in ("GET", "POST")]
    agent = make_agent(**{"setup_command": "echo begun >> ../ran", "test_command": "true",
                          "cleanup_command": "echo cleaned >> ../ran", **commands})
    job = fake.add_job(test_data={"a": 1})
    path = f"/v1/result/{job.definition['job_id']}"
    wait_for(lambda: len(fake.seen("GET", path)) > 1, what="the agent asks again")
    return agent, job, rules


def ran(agent):
    path = agent.dir / "run" / "ran"
    return path.read_text() if path.exists() else ""


def test_nothing_is_run_before_the_server_has_heard_of_the_agent(fake, make_agent):
    agent, job, rules = unconfirmed(fake, make_agent)
    assert not ran(agent)
    for rule in rules:
        rule.times = 0
    fake.wait_complete(job)
    assert ran(agent) == "begun\ncleaned\n"
    assert job.status == {"setup": 0, "test": 0, "cleanup": 0}


def test_a_job_that_went_elsewhere_before_it_was_confirmed_is_not_run(fake, make_agent):
    agent, job, rules = unconfirmed(fake, make_agent)
    fake.give_away(job)
    for rule in rules:
        rule.times = 0
    after = fake.add_job(test_data={"a": 1})
    fake.wait_complete(after)
    assert ran(agent) == "begun\ncleaned\n", "of the second one"
    assert not job.states and not job.status


def test_an_agent_that_ends_does_not_begin_what_was_not_confirmed(fake, make_agent):
    agent, job, _ = unconfirmed(fake, make_agent)
    assert agent.stop() == 0
    assert not ran(agent) and not job.states


def test_the_token_goes_with_every_request_about_the_job(fake, make_agent):
    bundle = io.BytesIO()
    with tarfile.open(fileobj=bundle, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("test/data"))
    fake.offer(lease_s=3, wait_s=300)
    agent = make_agent(test_command="echo '{\"a\": 1}' > device-info.json; mkdir artifacts; "
                                    "echo x > artifacts/y; echo z > test-serial.log; sleep 1.2; "
                                    "cp testflinger.json ../seen.json",
                       cleanup_command="true")
    parent = fake.add_job(job_queue="of-nobody")
    job = fake.add_job(attachments=bundle.getvalue(), test_data={"a": 1},
                       parent_job_id=parent.definition["job_id"],
                       job_status_webhook="http://hook.test/x")
    fake.wait_complete(job)
    wait_for(lambda: job.event_names()[-1:] == ["job_end"])
    requests = about(fake, job)
    kinds = {(r.method, r.path.replace(job.definition["job_id"], "ID")) for r in requests}
    assert kinds == {("GET", "/v1/job/ID/attachments"), ("GET", "/v1/result/ID"),
                     ("GET", "/v1/job/ID/status"), ("POST", "/v1/job/ID/events"),
                     ("POST", "/v1/job/ID/lease"), ("POST", "/v1/result/ID"),
                     ("POST", "/v1/result/ID/artifact"), ("POST", "/v1/result/ID/log/output"),
                     ("POST", "/v1/result/ID/log/serial")}
    assert {r.headers.get(HEADER) for r in requests} == {job.token}
    others = [r for r in fake.requests if r not in requests]
    assert others and all(HEADER not in r.headers for r in others)
    assert "lease" not in json.loads((agent.dir / "run" / "seen.json").read_text())


def test_a_server_without_leases_sees_nothing_of_them(fake, make_agent, gate):
    agent, job = begun(fake, make_agent, until(gate))
    looks = f"/v1/result/{job.definition['job_id']}"
    wait_for(lambda: len(fake.seen("GET", looks)) > 2)
    fake.cancel(job)
    fake.wait_complete(job)
    assert not fake.renewals(job) and not fake.seen("GET", "/v1/job/.*/status")
    assert all(HEADER not in r.headers for r in fake.requests)
    assert all("wait" not in r.query for r in fake.requests)
    assert agent.stop() == 0


def test_a_cancel_does_not_wait_for_attachments_on_their_way(fake, make_agent):
    fake.offer(lease_s=2)
    make_agent(test_command="echo tested", cleanup_command="echo cleaned", cancel_interval=3600)
    hold = fake.hold("GET", "/v1/job/.*/attachments")
    job = fake.add_job(attachments=b"x", test_data={"a": 1})
    hold.wait_reached()
    fake.cancel(job)
    fake.wait_complete(job, 30)
    hold.release()
    assert job.status == {"cleanup": 0}
    assert "tested" not in job.log("test")


def test_a_renewal_tells_of_a_cancel(fake, make_agent, gate):
    fake.offer(lease_s=2)
    _, job = begun(fake, make_agent, until(gate), cancel_interval=3600,
                   cleanup_command="echo cleaned")
    fake.cancel(job)
    fake.wait_complete(job)
    assert job.status == {"test": 143, "cleanup": 0}
    assert "cancellation was requested" in job.log("test")
    assert "cleaned" in job.log("cleanup")


def test_a_cancel_reaches_a_job_that_waits_for_others(fake, make_agent):
    fake.offer(lease_s=2)
    make_agent(allocate_command="echo begun", cancel_interval=3600)
    job = fake.add_job(allocate_data={"allocate": True})
    wait_for(lambda: "allocated" in job.states)
    fake.cancel(job)
    fake.wait_complete(job)


def test_a_provision_is_not_ended_by_a_cancel_but_what_follows_is(fake, make_agent, gate):
    fake.offer(lease_s=2)
    make_agent(provision_command=f"echo begun; {until(gate)}", test_command="echo never",
               cancel_interval=3600)
    job = fake.add_job(provision_data={"a": 1}, test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("provision"))
    fake.cancel(job)
    seen = len(fake.renewals(job))
    wait_for(lambda: len(fake.renewals(job)) > seen + 1)
    gate.touch()
    fake.wait_complete(job)
    assert job.status == {"provision": 0}


def test_a_cancel_between_phases_drops_no_report(fake, make_agent, gate):
    fake.offer(lease_s=2)
    make_agent(provision_command=f"echo begun; {until(gate)}", test_command="echo never",
               cancel_interval=3600)
    report = fake.hold("POST", "/v1/result/[^/]*", text=b'"provision":0')  # the provision log waits behind it
    job = fake.add_job(provision_data={"a": 1}, test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("provision"))
    question = fake.hold("GET", f"/v1/result/{job.definition['job_id']}")
    gate.touch()
    report.wait_reached()
    question.wait_reached()
    seen = len(fake.renewals(job))
    fake.cancel(job)
    wait_for(lambda: len(fake.renewals(job)) > seen and fake.renewals(job)[-1].status)
    report.release()
    question.release()
    fake.wait_complete(job)
    assert "never" not in job.log("test")
    wait_for(lambda: fake.provision_logs, what="the provision log")


def test_the_status_tells_of_a_cancel_at_once(fake, make_agent, gate):
    fake.offer(lease_s=3600, wait_s=300)
    _, job = begun(fake, make_agent, until(gate), cancel_interval=3600)
    path = f"/v1/job/{job.definition['job_id']}/status"
    wait_for(lambda: any("after" in r.query for r in fake.seen("GET", path)))
    fake.cancel(job)
    fake.wait_complete(job)
    assert job.status == {"test": 143}
    waits = [r for r in fake.seen("GET", path) if "after" in r.query]
    assert {r.query["wait"][0] for r in waits} == {"50"}
    assert not fake.renewals(job)


@pytest.mark.parametrize("answer", [(404, b"Not found"), (200, b'{"job_state": "running"}')])
def test_a_server_without_a_status_to_wait_for_is_asked_once(fake, make_agent, answer, gate):
    fake.offer(lease_s=2, wait_s=300)
    path = "/v1/job/[^/]*/status"
    fake.overrule("GET", path, *answer)
    _, job = begun(fake, make_agent, until(gate))
    seen = len(fake.renewals(job))
    wait_for(lambda: len(fake.renewals(job)) > seen + 2)
    assert len(fake.seen("GET", path)) == 1
    fake.cancel(job)
    fake.wait_complete(job)


def test_a_status_that_does_not_wait_is_not_asked_for_all_the_time(fake, make_agent, gate):
    fake.offer(lease_s=2, wait_s=300)
    path = "/v1/job/[^/]*/status"
    fake.overrule("GET", path, 200, b'{"job_state": "running", "version": "1"}')
    _, job = begun(fake, make_agent, until(gate), cancel_interval=3600)
    seen = len(fake.renewals(job))
    wait_for(lambda: len(fake.renewals(job)) > seen + 2)
    assert len(fake.seen("GET", path)) == 2
    gate.touch()
    fake.wait_complete(job)


def test_a_job_given_to_another_is_stopped_and_discarded(fake, make_agent, tmp_path):
    fake.offer(lease_s=2)
    agent, job = begun(fake, make_agent, "trap '' TERM; sleep 600", kill_grace=1,
                       cleanup_command=f"echo cleaned | tee {tmp_path}/cleaned")
    fake.give_away(job)
    wait_for(lambda: not agent.job_dir(job).exists())
    assert (tmp_path / "cleaned").read_text() == "cleaned\n"
    assert job.completions == 0 and not job.log("cleanup")
    stale = [n for n, r in enumerate(fake.requests) if r.status == 409]
    assert len(stale) == 1, "it is told once"
    after = fake.requests[stale[0] + 1:]
    assert not [r for r in after if job.definition["job_id"] in r.path]
    assert not agent.kept_dir(job).exists()
    next_one = fake.add_job(setup_data={"a": 1})
    fake.wait_complete(next_one)


def test_an_agent_set_offline_during_a_job_that_is_lost_stays_so(fake, make_agent):
    fake.offer(lease_s=2)
    agent, job = begun(fake, make_agent, "sleep 600", cleanup_command="true")
    claims = len(fake.seen("GET", "/v1/job"))
    fake.agent["state"] = "offline"
    fake.give_away(job)
    wait_for(lambda: not agent.job_dir(job).exists())
    looked = len(fake.seen("GET", "/v1/agents/data/agent-1"))
    wait_for(lambda: len(fake.seen("GET", "/v1/agents/data/agent-1")) > looked + 1)
    assert fake.agent["state"] == "offline"
    assert len(fake.seen("GET", "/v1/job")) == claims


def test_what_a_lost_job_left_running_is_ended_with_it(fake, make_agent):
    fake.offer(lease_s=2)
    agent, job = begun(fake, make_agent, "sleep 600", kill_grace=1, cleanup_command="true",
                       setup_command="setsid sleep 98765.1 > /dev/null 2>&1 &")
    assert processes_with("sleep 98765.1")
    fake.give_away(job)
    wait_for(lambda: not agent.job_dir(job).exists())
    wait_gone("sleep 98765.1")


@pytest.mark.parametrize("phase", ["provision", "reserve"])
def test_no_phase_goes_on_for_another_s_job(fake, make_agent, phase):
    fake.offer(lease_s=2)
    agent, job = begun(fake, make_agent, "sleep 600", phase)
    fake.give_away(job)
    wait_for(lambda: not agent.job_dir(job).exists())
    assert not fake.provision_logs


@pytest.mark.parametrize("what", ["/v1/result/[^/]*", "/v1/result/.*/log/output",
                                  "/v1/result/.*/artifact"])
def test_any_request_may_tell_that_the_job_is_lost(fake, make_agent, what):
    fake.offer(lease_s=3600)
    fake.overrule("POST", what, 409)
    agent = make_agent(setup_command="mkdir artifacts; echo x > artifacts/y; echo x",
                       test_command="echo y", cleanup_command="true")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "event=discard" in agent.process.output())
    wait_for(lambda: not agent.job_dir(job).exists())
    assert job.completions == 0 and not agent.kept_dir(job).exists()


def test_a_webhook_s_conflict_is_none_of_the_lease(fake, make_agent):
    fake.offer(lease_s=3600)
    fake.overrule("POST", "/v1/job/.*/events", 409)
    make_agent(test_command="true")
    job = fake.add_job(test_data={"a": 1}, job_status_webhook="http://hook.test/x")
    fake.wait_complete(job)
    assert job.status == {"test": 0}


def test_a_cleanup_under_way_is_finished_when_the_job_is_lost(fake, make_agent, tmp_path, gate):
    fake.offer(lease_s=2)
    agent, job = begun(fake, make_agent, f"{until(gate)}; touch {tmp_path}/cleaned", "cleanup")
    fake.give_away(job)
    wait_for(lambda: any(r.status == 409 for r in fake.renewals(job)))
    gate.touch()
    wait_for(lambda: not agent.job_dir(job).exists())
    assert (tmp_path / "cleaned").exists() and job.completions == 0


def test_an_outage_shorter_than_the_patience_ends_no_job(fake, make_agent, gate):
    fake.offer(lease_s=2, stop_after=3600)
    agent, job = begun(fake, make_agent, until(gate))
    seen = len(fake.renewals(job))
    rule = fake.overrule("POST", "/v1/job/.*/lease", 503)
    wait_for(lambda: len(fake.renewals(job)) > seen + 2)
    rule.times = 0
    wait_for(lambda: "renewed again" in agent.process.output())
    assert agent.process.output().count("event=lease") == 2, "one line for each end of it"
    gate.touch()
    fake.wait_complete(job)
    assert job.status == {"test": 0}


def test_without_any_contact_the_job_is_given_up_and_its_outcome_kept(fake, make_agent, tmp_path):
    fake.offer(lease_s=2, stop_after=3)
    agent, job = begun(fake, make_agent, "sleep 600", cleanup_command=f"touch {tmp_path}/cleaned")
    fake.stop()
    wait_for(lambda: agent.kept_dir(job).exists(), 120)
    assert (tmp_path / "cleaned").exists()
    assert "cannot be reached" in (agent.kept_dir(job) / "test.log").read_text()
    fake.start()
    fake.wait_complete(job)
    assert job.status == {"test": 143, "cleanup": 0}
    assert {r.headers.get(HEADER) for r in about(fake, job)} == {job.token}


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_job_of_an_agent_that_died_is_reported_under_its_token(fake, make_agent, tmp_path, is_ours):
    fake.offer(lease_s=30)
    agent, job = begun(fake, make_agent, "sleep 600",
                       cleanup_command=f"echo cleaned; echo c >> {tmp_path}/cleaned")
    agent.kill()
    token = job.token
    if not is_ours:
        fake.give_away(job)
    seen = len(fake.requests)
    agent.start()
    wait_for(lambda: not agent.job_dir(job).exists())
    assert (tmp_path / "cleaned").read_text() == "c\n"
    assert not agent.kept_dir(job).exists()
    assert not (agent.dir / "run" / f"{job.definition['job_id']}.refused").exists()
    requests = [r for r in fake.requests[seen:] if job.definition["job_id"] in r.path]
    assert {r.headers.get(HEADER) for r in requests} == {token}
    assert fake.renewals(job), "it is renewed at once: nobody did for a while"
    assert job.status == ({"test": 137, "cleanup": 0} if is_ours else {})
    assert job.completions == (1 if is_ours else 0)


def test_an_outcome_that_waited_too_long_is_discarded_quietly(fake, make_agent, gate):
    fake.offer(lease_s=30)
    agent, job = begun(fake, make_agent, until(gate))
    fake.stop()
    gate.touch()
    wait_for(lambda: agent.kept_dir(job).exists(), 120)
    fake.give_away(job)
    fake.start()
    wait_for(lambda: not agent.kept_dir(job).exists())
    assert job.completions == 0
    assert not (agent.dir / "results" / f"{job.definition['job_id']}.refused").exists()
    after = fake.add_job(test_data={"a": 1})
    fake.wait_complete(after)


@pytest.mark.parametrize("lease", [{}, [], 7, {"token": "", "seconds": 60},
                                   {"token": "x\ny", "seconds": 60}, {"token": "x" * 200, "seconds": 60},
                                   {"token": "t", "seconds": 0}, {"token": "t"}])
def test_what_is_no_lease_counts_as_none(fake, make_agent, lease):
    make_agent(test_command="true")
    job = fake.add_job(test_data={"a": 1}, lease=lease)
    fake.wait_complete(job)
    assert all(HEADER not in r.headers for r in fake.requests)


@pytest.mark.parametrize("lease_s, told", [(30, {"output_timeout"}), (0, {None})])
def test_a_server_that_lends_jobs_is_told_of_a_timeout(fake, make_agent, lease_s, told):
    """A phase that was stopped and one that failed have the same exit statuses."""
    if lease_s:
        fake.offer(lease_s=lease_s)
    make_agent(test_command="sleep 1000")
    job = fake.add_job(test_data={"a": 1}, output_timeout=1)
    fake.wait_complete(job)
    posts = [call.json() for call in about(fake, job)
             if call.method == "POST" and "test" in call.json().get("status", {})]
    assert len(posts) == 2 and {post.get("stopped") for post in posts} == told
