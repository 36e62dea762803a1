# SPDX-License-Identifier: GPL-3.0-or-later
"""Several threads that do one thing again and again until the test has seen enough."""
import threading


class Load:
    """with Load(8, step) as load: …   step(number of the thread, number of the round) is called in
    each thread until the block is left.  What it returns is kept; the first exception is raised at
    the end of the block."""

    def __init__(self, threads, step):
        self.step = step
        self.results = []
        self.error = None
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(threads)]

    def run(self, number):
        turn = 0
        while not self.stopped.is_set():
            try:
                result = self.step(number, turn)
            except BaseException as error:  # pylint: disable=broad-exception-caught
                self.error = self.error or error
                self.stopped.set()
                return
            with self.lock:
                self.results.append(result)
            turn += 1

    def count(self, condition=lambda result: True, since=0):
        with self.lock:
            return sum(1 for result in self.results[since:] if condition(result))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopped.set()
        for thread in self.threads:
            thread.join(120)
        if kind is None and self.error:
            raise self.error
