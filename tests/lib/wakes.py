# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers tell each other: the keys of server/wake.h."""
import psycopg

KINDS = ("job", "queue", "agent", "limits")


def key_of(kind, name):
    """The number of a kind and a name, as it is sent."""
    number = 14695981039346656037
    for byte in bytes([KINDS.index(kind)]) + name.encode():
        number = (number ^ byte) * 1099511628211 % 2**64
    return f"{number:016x}"


class Wakes:
    """Hears what is sent from now on."""

    def __init__(self, conninfo):
        self.payloads = []
        self._connection = psycopg.connect(conninfo, autocommit=True)
        self._connection.add_notify_handler(lambda notify: self.payloads.append(notify.payload))
        self._connection.execute("LISTEN testflinger")

    def close(self):
        self._connection.close()

    def heard(self, kind, name):
        return any(key_of(kind, name) in payload for payload in self._hear())

    def heard_all(self):
        return "*" in self._hear()

    def _hear(self):
        self._connection.execute("SELECT 1")  # what has arrived comes with the answer
        return self.payloads
