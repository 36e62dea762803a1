# SPDX-License-Identifier: GPL-3.0-or-later
"""A small TCP proxy that misbehaves on request: refuses, cuts what is open, and delays, drops or cuts
the answers to requests that contain certain bytes.  All proxies of a process share one thread.

    proxies = Proxies()
    proxy = proxies.add(("127.0.0.1", 8000))       # or a path: a Unix socket
    proxy.meddle(Meddling(b"GET /v1/job?", "drop", times=1))
"""
import asyncio
import os
import threading

PIECE = 65536


class Meddling:
    """What is done with answers: "drop" (swallowed, then closed), "cut" (closed at once, both ways) or
    a number of seconds to hold them back.  times: answers; done counts them."""

    def __init__(self, pattern, action, times):
        self.pattern, self.action, self.left = pattern, action, times
        self.done = 0


class Proxy:
    def __init__(self, loop, target):
        self.loop, self.target = loop, target
        self.address = None
        self.open = True
        self.meddlings = []
        self.writers = set()

    # --- called from any thread -------------------------------------------------------

    def cut(self):
        """As if the cable were pulled: what is open ends, and nothing new comes through."""
        self.open = False
        self.loop.call_soon_threadsafe(self._close_all)

    def break_connections(self):
        """What is open ends; new connections are fine."""
        self.loop.call_soon_threadsafe(self._close_all)

    def mend(self):
        self.open = True
        self.meddlings = []

    def meddle(self, meddling):
        self.meddlings.append(meddling)
        return meddling

    # --- in the thread of the loop ----------------------------------------------------

    def _close_all(self):
        for writer in list(self.writers):
            writer.transport.abort()

    def _match(self, data):
        for meddling in self.meddlings:
            if meddling.left > 0 and meddling.pattern in data:
                meddling.left -= 1
                return meddling
        return None

    async def _connect(self):
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    async def serve(self, reader, writer):
        if not self.open:
            writer.transport.abort()
            return
        self.writers.add(writer)
        try:
            far_reader, far_writer = await self._connect()
        except OSError:
            self.writers.discard(writer)
            writer.transport.abort()
            return
        self.writers.add(far_writer)
        pending = []
        try:
            await asyncio.gather(self._forward(reader, far_writer, pending),
                                 self._back(far_reader, writer, pending))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (writer, far_writer):
                self.writers.discard(end)
                end.transport.abort()

    async def _forward(self, reader, writer, pending):
        while data := await reader.read(PIECE):
            meddling = self._match(data)
            if meddling:
                pending.append(meddling)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _back(self, reader, writer, pending):
        while data := await reader.read(PIECE):
            if pending:
                meddling = pending.pop()
                meddling.done += 1
                if meddling.action in ("drop", "cut"):
                    raise ConnectionResetError
                await asyncio.sleep(meddling.action)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


class Proxies:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def add(self, target, listen="127.0.0.1"):
        """listen: an address (a free port is taken) or the path of a Unix socket.  proxy.address is
        (host, port) or that path."""
        proxy = Proxy(self.loop, target)
        if listen.startswith("/"):
            self._call(asyncio.start_unix_server(proxy.serve, listen))
            os.chmod(listen, 0o777)
            proxy.address = listen
        else:
            server = self._call(asyncio.start_server(proxy.serve, listen, 0))
            proxy.address = server.sockets[0].getsockname()[:2]
        return proxy

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
