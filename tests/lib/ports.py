# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for programs that cannot be given port 0."""
import socket


def free_port():
    """Nobody listens on it just now; the kernel does not hand it out again soon."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
