# SPDX-License-Identifier: GPL-3.0-or-later
"""testflinger-agent --convert: the YAML configuration of the Python agents."""
import random
import subprocess

import pytest
import yaml

from programs import program
from wait import wait_for

NEEDED = {"agent_id": "agent-1", "server_address": "127.0.0.1:1", "job_queues": ["q1"]}
TEXTS = ["", " ", "plain", "true", "no", "null", "~", "0123", "1e3", "1:30", "0x10", "- a", "a: b", "#x",
         "'", '"', "\\", "\\n", '\\"', "line\nline", "\n", "end\n", "\ttab\r\f", "\x07\x1b", "ünïcödé ☃ 😀",
         "@include \"x\"", "*a", "&a", "%d %s", "$(x) `y`", "a" * 5000, "// no comment", "/* neither */",
         "x;", "}", "(", "\n@include \"/etc/passwd\"\n"]
COMMANDS = ("setup_command", "test_command", "cleanup_command", "identifier", "location")


def run(*arguments):
    return subprocess.run([program("testflinger-agent"), *map(str, arguments)], text=True,
                          capture_output=True, timeout=60, check=False)


def convert(tmp_path, text):
    """What came of it, and the file it was written to, which must be a configuration."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.conf"
    old.write_text(text)
    done = run("--convert", old)
    new.write_text(done.stdout)
    if done.returncode in (0, 3):
        checked = run("--check", "-c", new)
        assert checked.returncode == 0, checked.stderr + done.stdout
    return done, new


def test_a_configuration_is_converted_without_loss(tmp_path):
    done, _ = convert(tmp_path, yaml.safe_dump(NEEDED))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == ['agent_id = "agent-1";', 'server_address = "127.0.0.1:1";',
                                            'job_queues = [ "q1" ];']


def test_loss_is_told_line_by_line_and_by_the_status(tmp_path):
    done, _ = convert(tmp_path, yaml.safe_dump(NEEDED) + "colour: red\npolling_interval: soon\n")
    lines = len(yaml.safe_dump(NEEDED).splitlines())
    assert done.returncode == 3
    assert [line.split("old.yaml:")[1] for line in done.stderr.splitlines()] == [
        f'{lines + 1}: key "colour": not known to this agent: left out',
        f'{lines + 2}: key "polling_interval": not a whole number in the range allowed: left out']


@pytest.mark.parametrize("text, complaint", [
    ("agent_id: a", 'nothing usable for "server_address", "job_queues"'),
    ("a: [", "old.yaml: line "), ("- 1", "not a mapping"), ("", "not a mapping"),
    ("a: !!python/object:os.system x", "tag that is not supported"),
])
def test_what_cannot_be_converted_prints_nothing(tmp_path, text, complaint):
    done, _ = convert(tmp_path, text)
    assert (done.returncode, done.stdout) == (1, "")
    assert complaint in done.stderr


def test_a_number_that_nothing_can_hold_is_not_shown(tmp_path):
    done, _ = convert(tmp_path, "agent_id: a\npin: 123456789012345678901234567890\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "old.yaml: line 2, column 6: " in done.stderr and "1234567" not in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path):
    done = run("--convert", tmp_path / "none.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none.yaml" in done.stderr


@pytest.mark.parametrize("seed", range(5))
def test_any_texts_make_a_configuration(tmp_path, seed):
    rng = random.Random(seed)
    old = {**NEEDED, "job_queues": rng.sample(TEXTS[2:], 5),
           **{key: rng.choice(TEXTS) for key in COMMANDS},
           "advertised_queues": {rng.choice(TEXTS): rng.choice(TEXTS) for _ in range(5)},
           "advertised_images": {rng.choice(TEXTS): {rng.choice(TEXTS): rng.choice(TEXTS)}
                                 for _ in range(5)}}
    text = yaml.safe_dump(old, default_style=rng.choice([None, '"', "'"]),
                          allow_unicode=rng.random() < 0.5)
    done, _ = convert(tmp_path, text)
    assert (done.returncode, done.stderr) == (0, "")


def test_any_values_make_a_configuration_or_none(tmp_path):
    rng = random.Random(7)
    values = [None, True, -1, 0, 7, 1.5, 2**40, "x", "7", "", [], ["a"], [None, 1, ["x"]], {},
              {"a": "b"}, {"a": {"b": "c"}}, {"a": {"b": 1}}, {1: 2}]
    keys = ["agent_id", "server_address", "job_queues", "polling_interval", "logging_quiet",
            "advertised_queues", "advertised_images", "test_command", "server_pause_min", "x"]
    statuses = set()
    for _ in range(60):
        old = {**NEEDED, **{key: rng.choice(values) for key in rng.sample(keys, 3)}}
        done, _ = convert(tmp_path, yaml.safe_dump(old))
        assert done.returncode in (0, 1, 3), done.stderr
        assert done.stderr or done.returncode == 0
        statuses.add(done.returncode)
    assert statuses >= {1, 3}


def test_an_agent_does_with_it_what_the_old_one_did(fake, make_agent, tmp_path):
    text = "line one\n\ttwo \"quoted\" \\ ü"
    image = "url: http://x/\nuser_data: |\n  a: b\n"
    old = {"agent_id": "agent-1", "server_address": fake.url, "job_queues": ["q1"],
           "polling_interval": 1, "location": text, "test_command": "printf %s \"$location\"",
           "advertised_queues": {"q1": text}, "advertised_images": {"q1": {"core22": image}},
           **{f"{kind}_basedir": str(tmp_path / kind) for kind in ("execution", "logging", "results")}}
    done, new = convert(tmp_path, yaml.safe_dump(old))
    assert done.returncode == 0
    agent = make_agent(start=False)
    agent.command = lambda: [program("testflinger-agent"), "-c", str(new)]
    agent.start()
    job = fake.add_job(test_data={"a": 1})
    fake.wait_complete(job)
    assert text in job.log("test")
    wait_for(lambda: fake.images)
    assert fake.queues == {"q1": text}
    assert fake.images == {"q1": {"core22": image}}
    assert fake.agent["location"] == text
