# SPDX-License-Identifier: GPL-3.0-or-later
"""The storm's ledger: lines of JSON, appended by the phases of jobs (the program phase), by those who
submit and cancel, and by the faults; read by the checker."""
import json
import os
import time


class Ledger:
    def __init__(self, path):
        self.path = str(path)

    def write(self, what, **facts):
        line = json.dumps({"what": what, **facts, "at": time.time()}) + "\n"
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)

    def read(self):
        with open(self.path, encoding="ascii") as file:
            return [json.loads(line) for line in file]
