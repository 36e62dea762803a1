# SPDX-License-Identifier: GPL-3.0-or-later
"""The client alone against a server: what it prints and how it exits, no agent needed."""
import json
import os
import pty
import signal
import subprocess

import pytest

from programs import program
from wait import wait_for

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_submit_takes_yaml_from_a_file_and_show_gives_it_back(client):
    (client.dir / "job.yaml").write_text("job_queue: nobody\nname: é\ntags: [a, b]\n"
                                         "global_timeout: 1:30\ntest_data:\n  test_cmds: |\n    date\n")
    out = client.good("submit", "job.yaml")
    assert out.startswith("Job submitted successfully!\njob_id: ")
    shown = json.loads(client.good("show", out.split()[-1]))
    assert shown["name"] == "é" and shown["tags"] == ["a", "b"]
    assert shown["global_timeout"] == 90
    assert shown["test_data"]["test_cmds"] == "date\n"


def test_submit_takes_json_from_standard_input(client):
    job_id = client.good("submit", "-q", "-", given='{"job_queue": "nobody", "name": "\\ud83d\\ude00"}')
    assert json.loads(client.good("show", job_id.strip()))["name"] == "\U0001f600"


def test_show_as_yaml_can_be_submitted_again(client):
    first = client.submit({"job_queue": "nobody", "test_data": {"test_cmds": "a\nb\n"}, "name": "yes"})
    text = client.good("show", "--yaml", first)
    definition = "".join(line for line in text.splitlines(True) if not line.startswith("job_id:"))
    second = client.good("submit", "-q", "-", given=definition).strip()
    one, two = (json.loads(client.good("show", job_id)) for job_id in (first, second))
    assert first != second
    assert {**one, "job_id": ""} == {**two, "job_id": ""}


@pytest.mark.parametrize("text, why", [
    ("job_queue: [\n", "line 2, column 1"),
    ("- a\n", "must be a mapping"),
    ("", "must be a mapping"),
    ("a: *b\n", "line 1, column 4"),
])
def test_a_file_that_is_no_job_is_refused_here(client, text, why):
    (client.dir / "job.yaml").write_text(text)
    done = client.run("submit", "job.yaml")
    assert done.returncode == 2 and why in done.stderr and "job.yaml" in done.stderr


def test_what_the_server_refuses_is_told_field_by_field(client):
    done = client.run("submit", "-", given='{"test_data": {"test_cmds": 3}}')
    assert done.returncode == 3
    assert "422" in done.stderr and "job_queue" in done.stderr and "test_data.test_cmds" in done.stderr


@pytest.mark.parametrize("arguments", [
    (), ("launch",), ("poll",), ("poll", "not-an-id"), ("submit", "no-such-file"),
    ("submit", "-", "--bogus"), ("list-queues", "extra"), ("status", UNKNOWN, "more"),
])
def test_wrong_usage_exits_with_2(client, arguments):
    done = client.run(*arguments, given="")
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_no_server_exits_with_3(client):
    done = client.run("--server", "http://127.0.0.1:9", "status", UNKNOWN)
    assert done.returncode == 3 and "127.0.0.1:9" in done.stderr


@pytest.mark.parametrize("command", ["status", "results", "show", "poll", "artifacts"])
def test_an_unknown_job_exits_with_5(client, command):
    done = client.run(command, UNKNOWN)
    assert done.returncode == 5 and UNKNOWN in done.stderr
    assert not list(client.dir.glob("artifacts*"))


def test_cancel_ends_a_waiting_job_once(client):
    job_id = client.submit({"job_queue": "nobody"})
    assert client.status(job_id) == "waiting"
    client.good("cancel", job_id)
    assert client.status(job_id) == "cancelled"
    done = client.run("cancel", job_id)
    assert done.returncode == 3 and "400" in done.stderr
    assert client.run("poll", job_id).returncode == 4


def test_list_queues_shows_what_is_advertised(server, client, agent_token):
    queues = {"zebra": "striped", "ant": "small", "plain": ""}
    assert server.post("/v1/agents/queues", queues, auth=agent_token).status == 200
    assert client.good("list-queues") == "ant - small\nplain\nzebra - striped\n"
    assert json.loads(client.good("list-queues", "--json")) == queues


def test_polling_shows_the_place_in_the_queue_and_ends_with_the_job(server, client):
    first, second = (client.submit({"job_queue": "places"}) for _ in range(2))
    poll = client.start("poll", second)
    poll.until(lambda: "jobs ahead: 1\n" in poll.output())
    client.good("cancel", first)
    poll.until(lambda: "jobs ahead: 0\n" in poll.output())
    client.good("cancel", second)
    wait_for(lambda: not poll.running())
    assert poll.popen.returncode == 4


def test_an_interrupted_poll_leaves_the_job_and_says_how_to_go_on(client):
    job_id = client.submit({"job_queue": "nobody"})
    poll = client.start("poll", job_id)
    poll.until(lambda: "jobs ahead" in poll.output())
    assert poll.stop(signal.SIGINT) == 130
    assert f"testflinger poll {job_id}" in poll.output()
    assert client.status(job_id) == "waiting"
    client.good("cancel", job_id)


@pytest.mark.parametrize("answer, status, state", [(b"y\n", 4, "cancelled"), (b"n\n", 130, "waiting")])
def test_on_a_terminal_an_interrupt_asks_whether_to_cancel(client, answer, status, state):
    job_id = client.submit({"job_queue": "nobody"})
    ours, theirs = pty.openpty()
    with subprocess.Popen([program("testflinger"), "poll", job_id], stdin=theirs, stdout=theirs,
                          stderr=theirs, env=client.env, start_new_session=True) as poll:
        os.close(theirs)
        seen = b""
        while b"jobs ahead" not in seen:
            seen += os.read(ours, 4096)
        poll.send_signal(signal.SIGINT)
        while b"[y/N]" not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, answer)
        assert poll.wait(60) == status
    os.close(ours)
    assert client.status(job_id) == state


def test_credentials_come_from_options_or_the_environment(server, client):
    client_id, secret = server.add_client("somebody", "contributor", max_priority={"*": 5})
    (client.dir / "secret").write_text(secret + "\n")
    important = '{"job_queue": "nobody", "job_priority": 5}'
    assert client.run("submit", "-", given=important).returncode == 3
    client.good("submit", "-", "--client-id", client_id, "--secret-key", secret, given=important)
    client.good("submit", "-", "--client-id", client_id, "--secret-file", "secret", given=important)
    client.good("submit", "-", given=important, env={"TESTFLINGER_CLIENT_ID": client_id,
                                                     "TESTFLINGER_SECRET_KEY": secret})
    done = client.run("submit", "-", "--client-id", client_id, "--secret-key", "wrong", given=important)
    assert done.returncode == 3 and "could not log in" in done.stderr and secret not in done.stderr
    assert client.run("submit", "-", "--client-id", client_id, given=important).returncode == 2


def test_attachments_that_are_missing_stop_the_submission(server, client):
    done = client.run("submit", "-", given=json.dumps(
        {"job_queue": "lost", "test_data": {"attachments": [{"local": "not-here"}]}}))
    assert done.returncode == 2 and "not-here" in done.stderr
    assert server.get("/v1/queues/lost/jobs").status == 204


def test_results_are_printed_as_they_are(server, client, agent_token):
    job_id = client.submit({"job_queue": "nobody"})
    fragment = {"fragment_number": 0, "timestamp": "2026-01-01T00:00:00+00:00", "phase": "test",
                "log_data": "one\u0000two\né\U0001f600"}
    assert server.post(f"/v1/result/{job_id}/log/output", fragment, auth=agent_token).status == 200
    assert server.post(f"/v1/result/{job_id}", {"status": {"setup": 0, "test": 3}, "job_state": "complete"},
                       auth=agent_token).status == 200
    results = client.results(job_id)
    assert results["test_output"] == fragment["log_data"] and results["test_status"] == 3
    done = client.run("poll", job_id)
    assert done.returncode == 1 and done.stdout == fragment["log_data"]
    assert "phase test ended with 3" in done.stderr
    assert client.run("poll", "--oneshot", job_id).returncode == 1
