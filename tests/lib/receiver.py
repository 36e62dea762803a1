# SPDX-License-Identifier: GPL-3.0-or-later
"""Where webhooks lead to: keeps what it is sent, and answers as the path tells."""
import http.server
import json
import threading


class Receiver:
    """GET /STATUS answers with that status; /cut hangs up, /mute never answers, /big too much."""

    def __init__(self):
        self.seen = []  # (method, path, headers, body)
        self.over = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

            def do_PUT(self):
                receiver.take(self)

            do_GET = do_POST = do_PUT

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_port}"

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.seen.append((handler.command, handler.path, handler.headers, body))
        kind = handler.path.split("/")[1].split("?")[0]
        handler.close_connection = True
        if kind == "mute":
            self.over.wait(60)
        if kind in ("cut", "mute"):
            return
        data = b"x" * (2 << 20) if kind == "big" else b"" if kind in ("204", "304") else kind.encode()
        handler.send_response(int(kind) if kind.isdigit() else 200)
        if kind == "302":
            handler.send_header("Location", self.url + "/200/elsewhere")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        try:
            handler.wfile.write(data)
        except OSError:
            pass  # the other side has seen enough

    def at(self, path):
        return [one for one in self.seen if one[1] == path]

    def json_at(self, path):
        """The only request to this path, its body read."""
        (one,) = self.at(path)
        return json.loads(one[3])

    def stop(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()
