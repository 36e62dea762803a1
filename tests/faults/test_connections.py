# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that misbehave on the wire: idle ones in numbers, half requests, requests too large.
Others are served meanwhile."""
import resource
import select
import socket
import subprocess

import pytest

from server import Server
from wait import wait_for

IDLE = 1000
TIMEOUT_S = 2


@pytest.fixture(name="patient", scope="module")
def patient_server(cluster, database, tmp_path_factory):
    """Its time-outs are its defaults."""
    made = Server(cluster, database, tmp_path_factory.mktemp("patient")).start()
    yield made
    assert made.stop() == 0, made.process.tail()


@pytest.fixture(name="hasty", scope="module")
def hasty_server(cluster, database, tmp_path_factory):
    made = Server(cluster, database, tmp_path_factory.mktemp("hasty"), header_timeout_s=TIMEOUT_S,
                  body_timeout_s=TIMEOUT_S, keepalive_timeout_s=TIMEOUT_S).start()
    yield made
    assert made.stop() == 0, made.process.tail()


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def read_all(connection):
    """What comes until the server closes; a reset counts as the end."""
    text = b""
    try:
        while piece := connection.recv(65536):
            text += piece
    except ConnectionResetError:
        pass
    return text


def head(server, *lines):
    return ("\r\n".join(lines) + f"\r\nHost: 127.0.0.1:{server.port}\r\n").encode()


def test_a_peer_that_lost_its_power_is_noticed(patient):
    connection = connect(patient)
    try:
        done = subprocess.run(["ss", "-tnoH", "state", "established", "sport", "=",
                               f":{patient.port}"], check=True, stdout=subprocess.PIPE, text=True)
        port = connection.getsockname()[1]
        assert [line for line in done.stdout.splitlines()
                if f":{port} " in line and "timer:(keepalive" in line], done.stdout
    finally:
        connection.close()


def test_a_thousand_idle_connections_disturb_nobody(patient):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * IDLE)), hard))
    idle = []
    try:
        for number in range(IDLE):
            connection = connect(patient)
            idle.append(connection)
            if number % 3 == 1:
                connection.sendall(b"GET /v1/ HTT")
            elif number % 3 == 2:
                connection.sendall(head(patient, "POST /v1/job HTTP/1.1", "Content-Length: 100",
                                        "Content-Type: application/json") + b'\r\n{"job_queue"')
        for _ in range(20):
            assert patient.post("/v1/job", {"job_queue": "q"}).status == 200
        broken, _, _ = select.select(idle[:900], [], [], 0)
        assert broken == []
    finally:
        for connection in idle:
            connection.close()
    assert patient.get("/readyz").status == 200


def test_connections_that_closed_are_forgotten(patient):
    def open_connections():
        for line in patient.get("/metrics").text.splitlines():
            if line.startswith("testflinger_http_connections "):
                return int(line.split()[1])
        raise AssertionError("no such metric")
    some = [connect(patient) for _ in range(50)]
    wait_for(lambda: open_connections() >= 50, what="the connections are counted")
    for connection in some:
        connection.close()
    wait_for(lambda: open_connections() <= 5, what="the connections are forgotten")


@pytest.mark.parametrize("text", [b"", b"GET", b"GET /v1/ HTTP/1.1\r\nHost: x\r\nX-Half: "])
def test_half_a_header_and_silence_is_ended(hasty, text):
    with connect(hasty) as connection:
        connection.sendall(text)
        answer = read_all(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_half_a_body_and_silence_is_ended(hasty):
    with connect(hasty) as connection:
        connection.sendall(head(hasty, "POST /v1/job HTTP/1.1", "Content-Length: 100",
                                "Content-Type: application/json") + b'\r\n{"job_queue"')
        answer = read_all(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_a_body_that_trickles_for_ever_is_ended(hasty):
    """Each byte is a sign of life; the time is for the whole body."""
    with connect(hasty) as connection:
        connection.sendall(head(hasty, "POST /v1/job HTTP/1.1", "Content-Length: 1000000",
                                "Content-Type: application/json") + b"\r\n")

        def ended():
            readable, _, _ = select.select([connection], [], [], 0)
            if readable:
                return True
            connection.sendall(b" ")
            return False
        try:
            wait_for(ended, timeout_s=60, what="the server ends the request")
        except (BrokenPipeError, ConnectionResetError):
            pass


def test_a_kept_connection_is_closed_when_silent(hasty):
    with connect(hasty) as connection:
        connection.sendall(head(hasty, "GET /v1/ HTTP/1.1") + b"\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 200")


def test_a_body_over_the_limit_is_refused_before_it_is_sent(patient):
    with connect(patient) as connection:
        connection.sendall(head(patient, "POST /v1/job HTTP/1.1", f"Content-Length: {1 << 30}",
                                "Content-Type: application/json") + b"\r\n")
        connection.settimeout(30)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_chunked_body_over_the_limit_is_refused(patient):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = b""
    with connect(patient) as connection:
        connection.sendall(head(patient, "POST /v1/job HTTP/1.1", "Transfer-Encoding: chunked",
                                "Content-Type: application/json") + b"\r\n")
        try:
            for _ in range(1024):
                connection.sendall(chunk)
                if select.select([connection], [], [], 0)[0]:
                    break
            else:
                connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = connection.recv(65536)
        except ConnectionResetError:
            pass
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    assert patient.get("/readyz").status == 200


@pytest.mark.parametrize("lines", [
    ("POST /v1/job HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked"),
    ("POST /v1/job HTTP/1.1", "Content-Length: 2", "Content-Length: 3"),
    ("POST /v1/job HTTP/1.1", "Transfer-Encoding: gzip"),
    ("POST /v1/job HTTP/1.1", "Content-Length: -1"),
    ("POST /v1/job HTTP/1.1", "Content-Length: 99999999999999999999999"),
    ("GET /v1/" + "x" * 200000 + " HTTP/1.1",),
    ("GET /v1/ HTTP/1.1", "X-Long: " + "x" * 200000),
    ("GET /v1/%00 HTTP/1.1",),
    ("GET  /v1/ HTTP/9.9",),
    ("\x00\x01\x02\x03",),
])
def test_a_request_that_is_none_is_refused(patient, lines):
    with connect(patient) as connection:
        try:
            connection.sendall(head(patient, *lines, "Connection: close") + b"\r\n{}")
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.settimeout(60)
        answer = read_all(connection)
    assert answer == b"" or answer.split()[1][:1] in (b"4", b"5"), answer[:200]
    assert b" 500 " not in answer[:20]
    assert patient.get("/readyz").status == 200
