# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret does not leave the agent, whatever it looks like and wherever a job lets it slip."""
import hashlib
import json

import pytest

from wait import wait_for


def shown(value):
    return f"**{hashlib.sha256(value.encode()).hexdigest()[:6]}**"


def everything_sent(fake, job):
    """All that the server got about the job but the values it gave itself."""
    texts = [job.log(phase, kind) for phase in ("setup", "test", "cleanup")
             for kind in ("output", "serial")]
    texts.append(repr(job.device_info))
    texts += [json.dumps(event, ensure_ascii=False) for event in job.events]
    return "\n".join(texts) + "".join(
        request.body.decode(errors="replace") for request in fake.seen("POST", ".*"))



# name, secrets, what is printed, what is shown
PRINTED = [
    ("a regular expression", [".*(a|b)+[x]$^\\"], "axb .*(a|b)+[x]$^\\ .",
     lambda s: f"axb {s[0]} ."),
    ("with a newline", ["first line\nsecond line"], "<first line\nsecond line> first line\n",
     lambda s: f"<{s[0]}> first line\n"),
    ("a prefix of another", ["token", "token-and-more"], "token token-and-more token-and-",
     lambda s: f"{s[0]} {s[1]} {s[0]}-and-"),
    ("the other way round", ["token-and-more", "token"], "token-and-more, token",
     lambda s: f"{s[0]}, {s[1]}"),
    ("overlapping", ["abcdef", "defghi"], "abcdefghi defghi abcdef",
     lambda s: f"{s[0]}ghi {s[1]} {s[0]}"),
    ("within another", ["cd", "abcdef"], "abcdef cd abcd", lambda s: f"{s[1]} {s[0]} ab{s[0]}"),
    ("of several bytes a character", ["pässwörd €"], "pässwörd €!", lambda s: f"{s[0]}!"),
    ("repeated", ["aa"], "aaaaa", lambda s: f"{s[0]}{s[0]}a"),
    ("one character", ["#"], "a#b", lambda s: f"a{s[0]}b"),
    ("cut in the environment", ["open\0sesame"], "open open\0sesame",
     lambda s: f"{shown('open')} {s[0]}"),
    ("what masks look like", ["**a1b2c3**"], "a**a1b2c3**b", lambda s: f"a{s[0]}b"),
]


@pytest.mark.parametrize("secrets, text, expected", [row[1:] for row in PRINTED],
                         ids=[row[0].replace(" ", "-") for row in PRINTED])
def test_a_value_is_masked_whatever_it_looks_like(fake, make_agent, tmp_path, secrets, text, expected):
    """Printed at once, and byte by byte."""
    (tmp_path / "text").write_text(text)
    slowly = ("for at in $(seq 1 $(wc -c < ../../text)); do head -c $at ../../text | tail -c 1; "
              "sleep 0.01; done")
    make_agent(test_command=f"cat ../../text; echo '|'; {slowly}; echo '|'; "
                            "cp ../../text test-serial.log")
    job = fake.add_job(test_data={"secrets": {f"S{n}": value for n, value in enumerate(secrets)}})
    fake.wait_complete(job)
    masked = expected([shown(value) for value in secrets])
    assert job.log("test").split("***\n", 2)[2] == f"{masked}|\n{masked}|\n"
    assert job.log("test", "serial") == masked


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_a_value_split_over_two_writes_is_masked(fake, make_agent, cut):
    secret = "straddling"
    make_agent(test_command=f"printf 'a {secret[:cut]}'; sleep 0.5; echo '{secret[cut:]} b'")
    job = fake.add_job(test_data={"secrets": {"S": secret}})
    fake.wait_complete(job)
    assert job.log("test").endswith(f"a {shown(secret)} b\n")


@pytest.mark.parametrize("secret", ["plain-secret", 'with "quotes"', "back\\slash", "two\nlines", "a/b",
                                    "pässwörd", "12345"])
def test_a_value_is_masked_in_the_files_of_a_device_connector(fake, make_agent, tmp_path, secret):
    info = {"device_info": {"console": f"telnet {secret}", secret: [secret], "number": 1}}
    error = {"setup_exception_info": {"exception_name": "Error", "exception_message": f"bad {secret}",
                                      "exception_cause": secret}}
    (tmp_path / "info").write_text(json.dumps(info))
    (tmp_path / "error").write_text(json.dumps(error))
    make_agent(setup_command="cp ../../info device-info.json; cp ../../error "
                             "device-connector-error.json; exit 1", cleanup_command="true")
    job = fake.add_job(test_data={"secrets": {"S": secret}}, job_status_webhook="http://hook.test/x")
    fake.wait_complete(job)
    wait_for(lambda: "job_end" in job.event_names())
    assert job.device_info == {"console": f"telnet {shown(secret)}", shown(secret): [shown(secret)],
                               "number": 1}
    event = next(event for event in job.events if event["event_name"] == "setup_fail")
    assert event["detail"] == f"Error: bad {shown(secret)} caused by {shown(secret)}"
    for spelling in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert spelling not in everything_sent(fake, job)


def test_only_the_phase_that_has_a_secret_gets_it_and_all_phases_mask_it(fake, make_agent, tmp_path):
    (tmp_path / "text").write_text("value-of-test")
    make_agent(setup_command="cat ../../text; echo \"[$S]\"", test_command="echo \"[$S]\"",
               cleanup_command="cat ../../text; echo \"[$S]\"")
    job = fake.add_job(test_data={"secrets": {"S": "value-of-test"}})
    fake.wait_complete(job)
    masked = shown("value-of-test")
    assert job.log("setup").endswith(f"{masked}[]\n")
    assert job.log("test").endswith(f"[{masked}]\n")
    assert job.log("cleanup").endswith(f"{masked}[]\n")
