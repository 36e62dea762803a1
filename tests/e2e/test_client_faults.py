# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a server that cuts answers short, forgets tokens and talks nonsense."""
import http.server
import json
import threading

import pytest

from conftest import Client

JOB = "01a20326-035c-7466-8999-251473201f01"


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers each path with the next entry of its list; the last one stays."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        self.server.seen.append((self.path.split("?")[-1] if "?" in self.path else self.path,
                                 self.headers.get("Authorization")))
        answers = self.server.answers[self.path.split("?")[0]]
        status, body, missing = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) + missing))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = missing > 0

    do_POST = do_GET

    def log_message(self, *arguments):  # pylint: disable=arguments-differ
        pass


@pytest.fixture
def scripted(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.seen = []
    server.answers = {}
    server.client = Client(f"http://127.0.0.1:{server.server_port}", tmp_path)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def answer(document, status=200, missing=0):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return status, body, missing


def log(text, last):
    return {"output": {"test": {"log_data": text, "last_fragment_number": last}}}


def test_output_that_was_cut_off_is_printed_once(scripted):
    whole = json.dumps(log("first\nsecond\nthird\n", 2)).encode()
    scripted.answers = {
        f"/v1/result/{JOB}": [answer({"job_state": "test"}), answer({"job_state": "complete"})],
        f"/v1/result/{JOB}/log/output": [
            (200, whole[:whole.index(b"second") + 3], 40), (200, whole[:whole.index(b"third") + 2], 40),
            answer(whole), answer(log("fourth\n", 3)), answer(log("", -1))],
    }
    done = scripted.client.run("poll", JOB)
    assert done.returncode == 0 and done.stdout == "first\nsecond\nthird\nfourth\n"
    assert done.stderr.count("trying again") == 1
    asked = [query for query, _ in scripted.seen if query.startswith("start_fragment")]
    assert asked[:5] == [f"start_fragment={number}" for number in (0, 0, 0, 3, 4)]


def test_an_expired_token_is_replaced_once_and_the_request_replayed(scripted):
    scripted.answers = {
        "/v1/oauth2/token": [answer({"access_token": "one"}), answer({"access_token": "two"})],
        f"/v1/job/{JOB}": [answer({"message": "expired"}, 401), answer({"job_queue": "q"})],
    }
    login = ("--client-id", "me", "--secret-key", "secret")
    assert json.loads(scripted.client.good("show", JOB, *login)) == {"job_queue": "q"}
    assert [who for _, who in scripted.seen] == ["Basic bWU6c2VjcmV0", "Bearer one",
                                                 "Basic bWU6c2VjcmV0", "Bearer two"]
    scripted.answers[f"/v1/job/{JOB}"] = [answer({"message": "never"}, 401)]
    scripted.seen.clear()
    done = scripted.client.run("show", JOB, *login)
    assert done.returncode == 3 and "401 (never)" in done.stderr and len(scripted.seen) == 4


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"job_state"', b"[" * 100])
def test_an_answer_that_is_no_json_is_an_error(scripted, body):
    scripted.answers = {f"/v1/result/{JOB}": [(200, body, 0)]}
    done = scripted.client.run("status", JOB)
    assert done.returncode == 3 and done.stdout == "" and done.stderr.startswith("testflinger: ")


def test_artifacts_that_were_cut_off_leave_no_file(scripted):
    scripted.answers = {f"/v1/result/{JOB}/artifact": [(200, b"x" * 100000, 5)]}
    done = scripted.client.run("artifacts", JOB)
    assert done.returncode == 3 and "could not download" in done.stderr
    assert not list(scripted.client.dir.iterdir())


def test_an_older_file_stays_until_the_new_one_is_whole(scripted):
    old = scripted.client.dir / "artifacts.tgz"
    old.write_text("old")
    scripted.answers = {f"/v1/result/{JOB}/artifact": [(200, b"x" * 1000, 5), answer(b"new")]}
    assert scripted.client.run("artifacts", JOB).returncode == 3 and old.read_text() == "old"
    scripted.client.good("artifacts", JOB)
    assert old.read_text() == "new" and old.stat().st_mode & 0o777 == 0o644


def test_control_characters_of_a_server_do_not_reach_the_terminal(scripted):
    scripted.answers = {f"/v1/job/{JOB}": [(500, b"a\x1b[31mb", 0)]}
    assert "\x1b" not in scripted.client.run("show", JOB).stderr
    scripted.answers = {f"/v1/job/{JOB}": [answer({"message": "a\x1b[31mb"}, 500)]}
    assert "\x1b" not in scripted.client.run("show", JOB).stderr
