# SPDX-License-Identifier: GPL-3.0-or-later
"""Single rules of the agent's contract that no other test looks at."""
import io
import signal
import tarfile

import pytest

from wait import wait_for

RECORD = "/v1/agents/data/agent-1"


def test_queues_are_advertised_in_each_round_and_images_once(fake, make_agent):
    make_agent(advertised_queues=[{"queue": "q1", "description": "the first"}],
               advertised_images=[{"queue": "q1", "image": "a", "data": "url: x"}])
    wait_for(lambda: len(fake.seen("GET", "/v1/job")) > 2)
    assert len(fake.seen("POST", "/v1/agents/queues")) >= 3
    assert len(fake.seen("POST", "/v1/agents/images")) == 1


@pytest.mark.parametrize("state", ["offline", "maintenance"])
def test_out_of_service_wins_over_a_restart(fake, make_agent, tmp_path, state):
    gate = tmp_path / "gate"
    agent = make_agent(test_command=f"echo begun; until [ -e {gate} ]; do sleep 0.05; done")
    job = fake.add_job(test_data={"a": 1})
    wait_for(lambda: "begun" in job.log("test") and fake.agent["state"] == "test")
    agent.process.send(signal.SIGUSR1)
    fake.agent["state"] = state
    gate.touch()
    fake.wait_complete(job)
    looks = len(fake.seen("GET", RECORD))
    wait_for(lambda: len(fake.seen("GET", RECORD)) > looks + 2)
    assert agent.process.running()
    assert fake.agent["state"] == state
    fake.agent["state"] = "waiting"  # then the restart is due
    wait_for(lambda: not agent.process.running())
    assert agent.process.popen.returncode == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_post_is_tried_six_times(fake, make_agent, status):
    make_agent(setup_command="true", cleanup_command="true")
    fake.overrule("POST", "/v1/agents/provision_logs/.*", status)
    job = fake.add_job(provision_data={"a": 1})
    fake.wait_complete(job)
    assert job.status == {"setup": 0, "cleanup": 0}
    rule = "/v1/result/[^/]*"
    fake.overrule("POST", rule, status, times=6)
    after = fake.add_job()
    fake.wait_complete(after)
    # the first state was given up, what followed was not
    failed = [request.body for request in fake.seen("POST", rule) if request.status == status]
    assert failed == [b'{"job_state":"setup"}'] * 6
    assert after.states == ["cleanup", "complete"]
    assert after.status == {"setup": 0, "cleanup": 0}


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_post_that_is_refused_is_not_tried_again(fake, make_agent, status):
    make_agent(setup_command="true")
    rule = fake.overrule("POST", "/v1/agents/data/.*", status)
    wait_for(lambda: fake.seen("GET", RECORD))
    states = [r for r in fake.seen("POST", "/v1/agents/data/.*") if b'"state"' in r.body]
    assert len(states) == 1
    rule.times = 0


def test_a_long_serial_log_comes_in_pieces_of_a_mebibyte_at_most(fake, make_agent):
    make_agent(test_command="seq 1 400000 > test-serial.log; echo done")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert job.log("test", "serial") == "".join(f"{n}\n" for n in range(1, 400001))
    sizes = [len(f["log_data"].encode()) for f in job.fragments["serial"]]
    assert max(sizes) <= 1 << 20
    assert 3 <= len(sizes) <= 10  # of an agent that is slow to read it some are sent before they are full
    assert [f["fragment_number"] for f in job.fragments["serial"]] == list(range(len(sizes)))


def test_the_device_info_is_posted_before_the_command_of_each_phase(fake, make_agent):
    info = "echo '{\"device_info\": {\"at\": \"%s\"}}' > device-info.json"
    make_agent(setup_command=info % "setup", test_command=info % "test", cleanup_command="true")
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    posted = [request.json() for request in fake.seen("POST", "/v1/result/[^/]*")]
    told = [(body.get("job_state") or body.get("device_info", {}).get("at")) for body in posted
            if "device_info" in body or "job_state" in body]
    assert told == ["setup", "test", "setup", "cleanup", "test", "complete"]


# --- attachments -----------------------------------------------------------------------

def member(name, kind=tarfile.REGTYPE, link="", mode=0o644):
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    return made


BAD = {
    "absolute": member("/tmp/evil"),
    "parent": member("test/../../evil"),
    "another top": member("reserve/evil"),
    "no top": member("evil"),
    "link outside": member("test/evil", tarfile.SYMTYPE, "../../testflinger.json"),
    "link to an absolute name": member("test/evil", tarfile.SYMTYPE, "/etc/passwd"),
    "hard link outside": member("test/evil", tarfile.LNKTYPE, "../testflinger.json"),
    "pipe": member("test/evil", tarfile.FIFOTYPE),
    "device": member("test/evil", tarfile.CHRTYPE),
    "setuid": member("test/evil", mode=0o4755),
    "setgid": member("test/evil", mode=0o2755),
}


def bundle(*members):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for one in members:
            one.size = 1 if one.isreg() else 0
            tar.addfile(one, io.BytesIO(b"x"))
    return data.getvalue()


def test_a_bundle_with_one_bad_member_is_refused_as_a_whole(fake, make_agent):
    """Nothing of it is there for cleanup, and no phase is run."""
    make_agent(setup_command="echo no", test_command="echo no", cleanup_command="ls attachments")
    jobs = {name: fake.add_job(attachments=bundle(member("test/good"), bad), test_data={"a": 1})
            for name, bad in BAD.items()}
    for name, job in jobs.items():
        fake.wait_complete(job)
        assert job.status == {"setup": 1, "cleanup": 2}, name
        assert "attachments cannot be used" in job.log("setup"), name
        assert "no\n" not in job.log("setup"), name


def test_links_within_a_bundle_are_kept(fake, make_agent):
    make_agent(test_command="cat attachments/test/link attachments/provision/good; "
                            "test -x attachments/test/tool")
    job = fake.add_job(test_data={"a": 1}, attachments=bundle(
        member("provision/good"), member("test/tool", mode=0o755),
        member("test/link", tarfile.SYMTYPE, "tool")))
    fake.wait_complete(job)
    assert job.status == {"test": 0}
    assert job.log("test").endswith("xx")
