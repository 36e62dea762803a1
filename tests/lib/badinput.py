# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests nobody should send, made from the schemas in /openapi.json: every place of a body in
turn holds what does not belong there, while the rest fits."""
import json

DEEP = 95  # below the limit with what is around it

# where a text is put into SQL, a file name, a header or a number
TEXTS = [
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\U0001f4a9", "\ufffe\uffff", "\u202e", "\x7f\x1b",
    "x" * 300, "x" * 70000, "'", '"', "\\", "%s%n", "../../etc/passwd", "{}", "null", "a\r\nb: c",
    "1e400", "-1", "9" * 400, "99999999999999999999", "1d" * 50, "99999999999999d", "-1d", "nan",
    "infinity", "-infinity", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "0001-01-01T00:00:00+23:59", "294277-01-01T00:00:00Z", "2026-02-30T25:61:61+99:99", "epoch",
    "http://", "http://[::1", "http://a:99999/", "file:///etc/passwd", "@", "a@b", "\u212a@\u212a.\u212a",
]
NUMBERS = [0, -1, 1.5, -0.0, 2**31, -2**31 - 1, 2**32, 2**53 + 1, 2**63 - 1, -2**63, 2**63, -2**63 - 1,
           2**64, 10**30, -10**30, 10**400, 1e308, 5e-324, float("nan"), float("inf"), -float("inf")]


def nested(depth, kind=list):
    made = 1
    for _ in range(depth):
        made = [made] if kind is list else {"a": made}
    return made


OTHERS = [None, True, False, [], {}, [None], [[]], {"": ""}, {"\0": "\0"}, {"\ud800": 1}, {"x" * 70000: 1},
          nested(DEEP), nested(DEEP, dict), nested(400), [0] * 20000,
          {f"k{number}": number for number in range(5000)}]
ANYTHING = OTHERS + NUMBERS + TEXTS
# for the many places of shapes that are refused as a whole
FEW = [None, True, [], {}, {"\0": "\0"}, -1, 1.5, 2**63 - 1, 10**30, "", "a\0b", "\ud800", "x" * 70000]
KEYS = ["", "\0", "\ud800", "x" * 70000, "$where", "setup\n"]

FORMATS = {"date-time": "2026-01-02T03:04:05Z", "uri": "http://example.com/a", "email": "a@example.com"}
SAMPLES = {"integer": 1, "boolean": True, "null": None}


def alternatives(schema):
    """The schemas of which one is to fit, with what stands around them resolved."""
    if "allOf" in schema:
        assert len(schema["allOf"]) == 1
        return alternatives(schema["allOf"][0])
    if "anyOf" in schema:
        return [one for part in schema["anyOf"] for one in alternatives(part)]
    return [schema]


def sample(schema):
    """The least that fits."""
    schema = alternatives(schema)[-1]
    kind = schema.get("type")
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "string":
        return FORMATS.get(schema.get("format"), "x" * schema.get("minLength", 1))
    if kind == "array":
        return [sample(schema["items"])] * schema.get("minItems", 0)
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: sample(fields[name]) for name in schema.get("required", ())}
    return SAMPLES[kind]


def spoiled_object(schema, values):
    base = sample(schema)
    for name, field in schema.get("properties", {}).items():
        for value in spoiled(field, values):
            yield {**base, name: value}
    for name in schema.get("required", ()):
        yield {key: value for key, value in base.items() if key != name}
    others = schema.get("additionalProperties")
    others = others if isinstance(others, dict) else None
    for value in spoiled(others, values) if others else ():
        yield {**base, "setup": value}
    for key in KEYS:
        yield {**base, key: sample(others) if others else "x"}


def spoiled(schema, values=None):
    """Everything that differs from what fits in one place."""
    values = values or ANYTHING
    yield from values
    shapes = alternatives(schema)
    for shape in shapes:
        if shape.get("type") == "object":
            yield from spoiled_object(shape, FEW if len(shapes) > 2 else values)
        elif shape.get("type") == "array":
            for value in spoiled(shape["items"], FEW if values is FEW else values):
                yield [value]
            yield [sample(shape["items"])] * 3000


def encode(value):
    """As JSON, also what is none: NaN, and halves of surrogates as escapes."""
    return json.dumps(value).encode()


# bodies that are not JSON, or not in UTF-8
RAW_BODIES = [
    b"{", b"}", b"nul", b'{"a": 1,}', b"{} {}", b"\0", b"\xff", b'{"a": "\xc0\xaf"}', b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\xf4\x90\x80\x80"}', b'{"a\xff": 1}', b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", b'{"a": "\\u12"}',
    b'{"a": "\\x41"}', b'{"a": 01}', b'{"a": 1e99999}', b'{"a": 1, "a": 2}', b"[" * 100000, b'{"a":' * 50000,
    b'"' + b"\\" * 9999, b" " * 60000, b"1" * 60000, b"{}\0",
]

MEDIA_TYPES = [
    "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16",
    "application/json;;;=", "application/", "/", ";", "application/problem+json", "multipart/form-data",
    "multipart/form-data; boundary=", 'multipart/form-data; boundary="', "x" * 5000, "\xff", "",
]

# parts of a path, as they stand in the request line
PATH_PARTS = [
    "%00", "a%00b", "%ff", "%ed%a0%80", "%c0%af", "%f0%9f%92%a9", "%", "%4", "%zz", "..", ".", "%2e%2e",
    "a%2fb", "%2f", "%5c", "x" * 6000, "%41" * 1500, "%20", "%0d%0a", "%27", "%25s", "-1", "*", "~", "a;b",
    "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000",
    "g0000000-0000-0000-0000-000000000000", "%7B00000000-0000-0000-0000-000000000000%7D",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
]

QUERY_VALUES = [*PATH_PARTS[:20], "", "0", "-1", "1.5", "1e5", "2147483648", "9223372036854775807",
                "9223372036854775808", "-9223372036854775808", "9" * 400, "NaN", "infinity", "epoch",
                "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "294277-01-01T00:00:00Z", "null", "%5B%5D",
                "x" * 6000, "+", "&", "=", "AAAA", "eyJhIjoxfQ", "e30", "W10", "bnVsbA", "____"]

HEADER_VALUES = [*(text for text in TEXTS if text.isascii() and text.isprintable() and len(text) < 5000),
                 "\xff\xfe", "\xed\xa0\x80", "bytes=0-", "bytes=-1", "bytes=-0", "bytes=9-1",
                 "bytes=99999999999999999999-", "bytes=" + "0-0," * 200, "W/", '"', "*", "a" * 6000,
                 "\t \t", ";=;=", 'agent_name="\\', 'agent_name="\\000"', "agent_name=" + "x" * 3000]
HEADERS = ["Accept", "Accept-Encoding", "Authorization", "Content-Encoding", "Cookie", "Expect", "If-Match",
           "If-None-Match", "If-Range", "Last-Event-ID", "Range", "Testflinger-Lease", "X-Forwarded-For", "X-Request-Id",
           "Idempotency-Key"]
