# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing the key of access tokens as docs/operations.md tells, without logging anybody out."""
import server as servers
from caller import new_name
from server import Server

OLD, NEW = "an-old-key-of-the-tests-0123456789abcdef", "a-new-key-of-the-tests-0123456789abcdef"


def start(cluster, database, place, monkeypatch, *keys):
    monkeypatch.setattr(servers, "JWT_KEY", "\n".join(keys))
    return Server(cluster, database, place, new_name("server"), bcrypt_cost=4).start()


def accepted(server, token):
    status = server.get("/v1/client-permissions", auth=token).status
    assert status in (200, 403)
    return status == 200


def test_a_key_is_changed_step_by_step(cluster, database, tmp_path, monkeypatch):
    steps = [start(cluster, database, tmp_path, monkeypatch, *keys)
             for keys in ([OLD], [OLD, NEW], [NEW, OLD], [NEW])]
    tokens = [server.token() for server in steps]
    # one step and the next run side by side; each accepts what the other signed
    for before, after in ((0, 1), (1, 2), (2, 3)):
        for server, token in ((before, after), (after, before)):
            assert accepted(steps[server], tokens[token])
    assert not accepted(steps[3], tokens[0])
    assert not accepted(steps[3], tokens[1])
    assert not accepted(steps[0], tokens[3])
    refresh = steps[0].post("/v1/oauth2/token", auth=(servers.ADMIN_ID, servers.ADMIN_SECRET))
    renewed = steps[3].post("/v1/oauth2/refresh",
                            {"refresh_token": refresh.json()["refresh_token"]})
    assert accepted(steps[3], renewed.json()["access_token"])
    for server in steps:
        assert server.stop() == 0
