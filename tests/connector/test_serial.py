# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial console, captured while a test runs."""
import os
import signal

import pytest

from agent import processes_with
from connector import stopped
from console import Console
from ports import free_port
from wait import wait_for

LOG = "test-serial.log"


@pytest.fixture
def console():
    made = Console()
    yield made
    made.stop()


def gate(connector):
    """A script that waits until the test makes the file "open"."""
    connector.job["test_data"] = {"test_cmds": "echo runs; while [ ! -e open ]; do sleep 0.05; done"}


def log_has(connector, data):
    wait_for(lambda: data in (connector.dir / LOG).read_bytes(), what=f"{data[:50]!r} in the log")


def test_the_console_is_captured_from_the_start_to_the_end(make, console):
    connector = make("fake_connector", **console.config)
    gate(connector)
    process = connector.start("runtest")
    # the commands do not run before the console is connected
    process.until(lambda: "runs" in process.output())
    console.wait_connections(1)
    console.write(b"boot\r\n\xff\x00login: ")
    log_has(connector, b"login: ")
    data = os.urandom(1 << 20)
    console.write(data)
    (connector.dir / "open").touch()
    assert process.wait() == 0
    assert (connector.dir / LOG).read_bytes() == b"boot\r\n\xff\x00login: " + data
    assert process.output() == "runs\n"


def test_a_console_can_be_a_unix_socket(make, tmp_path):
    console = Console(path=tmp_path / "console")
    # which counts before a port
    connector = make("fake_connector", serial_host="127.0.0.1", serial_port=free_port(), **console.config)
    gate(connector)
    process = connector.start("runtest")
    try:
        console.wait_connections(1)
        console.write(b"login: ")
        log_has(connector, b"login: ")
        (connector.dir / "open").touch()
        assert process.wait() == 0
    finally:
        process.stop()
        console.stop()


def test_a_path_too_long_for_a_socket_is_told(make):
    connector = make("fake_connector", serial_socket="/" + "x" * 200)
    assert connector.run("runtest", test_data={"test_cmds": "true"}).returncode == 1
    assert "serial_socket" in connector.failure("runtest")[1]


def test_no_more_of_a_console_is_kept_than_the_limit_and_it_is_read_on(make, console):
    connector = make("fake_connector", serial_max=100000, **console.config)
    gate(connector)
    process = connector.start("runtest")
    console.wait_connections(1)
    console.write(b"x" * (64 << 20))  # does not return before most of it is read
    (connector.dir / "open").touch()
    assert process.wait() == 0
    assert (connector.dir / LOG).read_bytes() == b"x" * 100000


def test_a_lost_console_is_connected_again_and_nothing_is_lost_or_doubled(make, console):
    connector = make("fake_connector", **console.config)
    gate(connector)
    process = connector.start("runtest")
    for number in range(1, 4):
        console.wait_connections(number)
        console.write(b"line %d\n" % number)
        console.drop()
    console.wait_connections(4)
    (connector.dir / "open").touch()
    assert process.wait() == 0
    assert (connector.dir / LOG).read_bytes() == b"line 1\nline 2\nline 3\n"


def test_a_console_that_is_not_there_does_not_keep_the_test_from_running(make):
    port = free_port()
    connector = make("fake_connector", serial_host="127.0.0.1", serial_port=port)
    gate(connector)
    process = connector.start("runtest")
    process.until(lambda: "runs" in process.output())
    late = Console(port)
    try:
        late.wait_connections(1)
        late.write(b"here now\n")
        log_has(connector, b"here now\n")
    finally:
        (connector.dir / "open").touch()
        assert process.wait() == 0
        late.stop()


def test_a_console_that_never_stops_talking_does_not_hold_up_the_end(make, console):
    connector = make("fake_connector", **console.config)
    process = connector.start("runtest", test_data={"test_cmds": f"while [ ! -s {LOG} ]; do :; done"})
    console.wait_connections(1)
    with pytest.raises(OSError):
        while True:
            console.write(b"x" * 65536)
    assert process.wait() == 0


def test_without_a_console_there_is_no_log(make):
    connector = make("fake_connector", serial_host="127.0.0.1")
    connector.good("runtest", test_data={"test_cmds": "true"})
    assert not (connector.dir / LOG).exists()


def test_the_log_of_an_earlier_attempt_is_kept(make, console):
    connector = make("fake_connector", **console.config)
    (connector.dir / LOG).write_bytes(b"before\n")
    gate(connector)
    process = connector.start("runtest")
    console.wait_connections(1)
    console.write(b"after\n")
    log_has(connector, b"after\n")
    (connector.dir / "open").touch()
    assert process.wait() == 0
    assert (connector.dir / LOG).read_bytes() == b"before\nafter\n"


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 128 + 15), (signal.SIGKILL, -9)])
def test_the_reader_ends_with_the_stage_however_that_ends(make, console, number, status):
    connector = make("fake_connector", **console.config)
    process = connector.start("runtest", test_data={"test_cmds": "echo runs; sleep 76543"})
    process.until(lambda: "runs" in process.output())
    console.wait_connections(1)
    if number == signal.SIGKILL:
        process.kill()
        for pid in processes_with("sleep 76543"):
            os.kill(pid, signal.SIGKILL)
    else:
        assert stopped(process, number) == status
    # nothing comes any more, so that is the end of the connection
    console.connections[0].settimeout(60)
    assert console.connections[0].recv(1) == b""


def test_a_log_that_cannot_be_written_is_told(make, console):
    connector = make("fake_connector", **console.config)
    (connector.dir / LOG).mkdir()
    assert connector.run("runtest", test_data={"test_cmds": "true"}).returncode == 1
    assert LOG in connector.failure("runtest")[1]


def test_a_pipe_in_place_of_the_log_is_not_waited_for(make, console):
    connector = make("fake_connector", **console.config)
    os.mkfifo(connector.dir / LOG)
    assert connector.run("runtest", test_data={"test_cmds": "true"}).returncode == 1
    assert "not a file" in connector.failure("runtest")[1]
