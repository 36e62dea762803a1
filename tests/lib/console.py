# SPDX-License-Identifier: GPL-3.0-or-later
"""A terminal server: a TCP port behind which a serial console is, as a test wants it."""
import socket
import threading

from wait import wait_for


class Console:
    """Accepts connections one after the other; the test writes to them and drops them."""

    def __init__(self, port=0, path=None):
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen()
            self.config = {"serial_socket": str(path)}
        else:
            self.listener = socket.create_server(("127.0.0.1", port))
            self.config = {"serial_host": "127.0.0.1", "serial_port": self.listener.getsockname()[1]}
        self.connections = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                self.connections.append(self.listener.accept()[0])
            except OSError:
                return

    def wait_connections(self, count):
        wait_for(lambda: len(self.connections) >= count, what=f"{count} connections")

    def write(self, data):
        self.connections[-1].sendall(data)

    def drop(self):
        self.connections[-1].close()

    def stop(self):
        # close() alone does not wake a thread in accept()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        for connection in self.connections:
            connection.close()
