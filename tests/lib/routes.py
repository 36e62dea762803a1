# SPDX-License-Identifier: GPL-3.0-or-later
"""The route table as data, for tests that ask for everything there is, and requests that fit its
rows.  Read from its source: what the server tells of itself is under test too."""
import re
import uuid
from collections import namedtuple

from programs import ROOT

# roles: empty for a public route.  body: "json", "upload" or None.
Row = namedtuple("Row", "method path roles body")

ROW = re.compile(r'^    \{"([A-Z]+)",\s*"(/[^"]*)",\s*([^,]+),\s*\w+,\s*LANE_\w+,\s*(.*)\},$', re.M)
ANY_ROW = re.compile(r'^    \{"', re.M)
DEFINE = re.compile(r"^#define (\w+) +([^\n]*?)(?: */\*.*)?$", re.M)
WORD = re.compile(r"MAY\((\w+)\)|(\w+)")
PART = re.compile(r"\{(\w+)(?:\.\.\.)?\}")

# what stands for the parts of a path; {id} depends on what it is of
PARTS = {"name": "dut-of-the-matrix", "queue": "queue-of-the-matrix", "type": "output",
         "client": "client-of-the-matrix", "path": "path/of-the-matrix"}
BOUNDARY = "boundary-of-the-matrix"
FORM = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.tar.gz"\r\n\r\n'
        f"content\r\n--{BOUNDARY}--\r\n").encode()


def roles_of(expression, defines):
    """{"admin", …} of an expression like MAY_USE | MAY(AGENT)."""
    roles = set()
    for role, word in WORD.findall(expression):
        if role:
            roles.add(role.lower())
        elif word != "0u":
            roles |= roles_of(defines[word], defines)
    return frozenset(roles)


def body_of(rest):
    for kind in ("json", "upload"):
        if rest.startswith(kind.upper() + "("):
            return kind
    return None


def read_table():
    source = (ROOT / "server" / "routes.c").read_text()
    defines = dict(DEFINE.findall((ROOT / "server" / "routes.h").read_text() + source))
    rows = [Row(method, path, roles_of(roles, defines), body_of(rest))
            for method, path, roles, rest in ROW.findall(source)]
    assert rows and len(rows) == len(ANY_ROW.findall(source)), "there are rows of another form"
    return rows


ROWS = read_table()


def name_of(row):
    """For the names of tests."""
    return f"{row.method} {row.path}"


def methods():
    """{path: {method, …}} with those that are never in the table."""
    found = {}
    for row in ROWS:
        allowed = found.setdefault(row.path, {"OPTIONS"})
        allowed |= {"GET", "HEAD"} if row.method == "GET" else {row.method}
    return found


def fill(path, /, **parts):
    """A path with something harmless for each part in braces: nothing of that name is there."""
    known = {**PARTS, **parts}
    known.setdefault("id", str(uuid.uuid4()))
    return PART.sub(lambda match: known[match[1]], path)


def body_and_headers(row):
    """A body of the right kind that asks for nothing, and its headers."""
    if row.body == "upload":
        return FORM, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if row.body == "json":
        return b"{}", {"Content-Type": "application/json"}
    return None, {}
