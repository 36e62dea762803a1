# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who talks to a server: a token, perhaps an agent's name, and what such people do."""
import re
import uuid


class Caller:
    def __init__(self, server, auth=None, agent=None):
        self.server = server
        self.auth = auth
        self.agent = agent

    def named_headers(self, headers):
        if not self.agent:
            return headers
        return {"Cookie": f"agent_name={self.agent}", **(headers or {})}

    def request(self, method, path, body=None, headers=None, **how):
        return self.server.request(method, path, body=body, headers=self.named_headers(headers),
                                   auth=self.auth, **how)

    def get(self, path, **how):
        return self.request("GET", path, **how)

    def post(self, path, body=None, **how):
        return self.request("POST", path, body=body, **how)

    def put(self, path, body=None, **how):
        return self.request("PUT", path, body=body, **how)

    def delete(self, path, **how):
        return self.request("DELETE", path, **how)

    def upload(self, path, data, headers=None, **how):
        return self.server.upload(path, data, headers=self.named_headers(headers), auth=self.auth,
                                  **how)

    def named(self, agent):
        """The same caller under the name of an agent."""
        return Caller(self.server, self.auth, agent)

    def submit(self, queue, **fields):
        """Submits a job and returns its id."""
        reply = self.post("/v1/job", {"job_queue": queue, **fields})
        assert reply.status == 200, reply
        return reply.json()["job_id"]

    def claim(self, *queues):
        """The job handed out, or None."""
        reply = self.get("/v1/job?" + "&".join(f"queue={queue}" for queue in queues))
        assert reply.status in (200, 204), reply
        return reply.json() if reply.status == 200 else None

    def pages(self, path):
        """The pages of a list, one after the other, as the server links them."""
        while path:
            reply = self.get(path)
            assert reply.status == 200, reply
            yield reply.json()
            link = re.fullmatch(r'<(/[^>]*)>; rel="next"', reply.headers.get("Link", ""))
            assert link or "Link" not in reply.headers, reply.headers["Link"]
            path = link and link[1]

    def state_of(self, job):
        return self.get(f"/v1/result/{job}").json()["job_state"]


def new_name(kind="queue"):
    """A name nobody else uses: tests of one file share a database."""
    return f"{kind}-{uuid.uuid4().hex[:10]}"


def assert_refused(reply, status, fields=None):
    """An error answer; fields: where the complaints are, every reason replaced by True."""
    assert reply.status == status, reply
    assert reply.headers["Content-Type"] == "application/json"
    answer = reply.json()
    assert isinstance(answer["message"], str) and answer["message"]
    if fields is not None:
        assert shape_of(answer["detail"]["json"]) == fields, reply
    return answer


def shape_of(complaints):
    if isinstance(complaints, dict):
        return {key: shape_of(value) for key, value in complaints.items()}
    assert isinstance(complaints, list) and all(isinstance(why, str) and why for why in complaints)
    return True
