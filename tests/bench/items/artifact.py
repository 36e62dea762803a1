# SPDX-License-Identifier: GPL-3.0-or-later
"""A large artifact, up and down."""
import hashlib
import time

import psycopg

from cluster import SERVER_LOGIN
from suite.counts import Count
from suite.cpu import memory_mib
from suite.lab import Lab
from suite.transfers import Peer, pieces, running_job

TITLE = "an artifact up and down in MB/s, against one session writing and reading its chunks; memory"
CHUNK = 256 << 10
MIB_PER_SECOND = 85
FULL_MIB = 2048


def chunks(size):
    for piece in pieces(size):
        for at in range(0, len(piece), CHUNK):
            yield piece[at:at + CHUNK]


def direct_write(session, job, size):
    """The server's calls, one after the other: what PostgreSQL makes of them.  Returns (seconds, file)."""
    start, digest = time.monotonic(), hashlib.sha256()
    (file,) = session.execute("SELECT file_id FROM api.open_file(%s, 'artifact', 'bench', NULL)", (job,)).fetchone()
    for number, chunk in enumerate(chunks(size)):
        digest.update(chunk)
        session.execute("SELECT api.write_chunk(%s, %s, %b)", (file, number, chunk), prepare=True)
    session.execute("SELECT queue FROM api.finish_file(%s, %s, %b)", (file, size, digest.digest()))
    return time.monotonic() - start, file


def direct_read(session, file, size):
    start, digest = time.monotonic(), hashlib.sha256()
    for number in range((size + CHUNK - 1) // CHUNK):
        (chunk,) = session.execute("SELECT data FROM api.read_chunk(%s, %s)", (file, number), prepare=True,
                                   binary=True).fetchone()
        digest.update(chunk)
    return time.monotonic() - start


def measure_turn(bench, lab, session, size):
    lab.empty()
    add, mb = bench.figures.figure, size / 1e6
    user, agent = lab.user(), lab.agent("bench")
    job, other = (running_job(user, agent, "large") for _ in range(2))
    write_s, file = direct_write(session, other, size)
    read_s = direct_read(session, file, size)
    path = f"/v1/result/{job}/artifact"
    up_s, sent = Peer(lab.server, agent.auth, "bench").upload(path, size)
    down_s, got = Peer(lab.server, user.auth).download(path)
    Count(bench.figures, "artifact", lab).equal("SHA-256 of the artifact", got, sent)
    add("artifact", "up / one session writing", "MB/s", "one session").add(mb / up_s, mb / write_s)
    add("artifact", "down / one session reading", "MB/s", "one session").add(mb / down_s, mb / read_s)


def measure(bench):
    size = FULL_MIB << 20 if bench.full else max(1, int(MIB_PER_SECOND * bench.seconds)) << 20
    with Lab(bench) as lab, psycopg.connect(lab.cluster.conninfo(lab.database, SERVER_LOGIN),
                                            autocommit=True) as session:
        before = memory_mib(lab.server.process.pid, "VmHWM")
        for _ in bench.turns:
            measure_turn(bench, lab, session, size)
        bench.figures.figure("artifact", f"peak memory of the server, {size >> 20:,} MiB moved", "MiB", "before").add(
            memory_mib(lab.server.process.pid, "VmHWM"), before)
