# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of people and agents, as the generator writes them, and the lists behind their names; and
what a submission is compared with."""
import json

from suite.lab import LISTS, query, queue_list, sign

USERS = 64
PAD = "x" * 700  # with the rest a definition of about 900 bytes

USER = "Host: bench\nAuthorization: Bearer @user_token@"
AGENT = "Host: bench\nAuthorization: Bearer @agent_token@\nCookie: agent_name=@agent@"
# An agent that never had a job before: what claims cost must not grow with those it holds.
FRESH_AGENT = "Host: bench\nAuthorization: Bearer @agent_token@\nCookie: agent_name=@agent@-@round@"
JSON = "Content-Type: application/json"


def job(queue="@queue@", **fields):
    return json.dumps({"job_queue": queue, "provision_data": {"url": "http://images.test/image"},
                       "test_data": {"test_cmds": PAD}, **fields})


SUBMIT = f"POST /v1/job HTTP/1.1\n{USER}\n{JSON}\n\n{job()}"
SUBMIT_MARKED = f"POST /v1/job HTTP/1.1\n{USER}\n{JSON}\n\n{job(job_id='@new@')}"
POLL = f"GET /v1/job?@queues@ HTTP/1.1\n{AGENT}\n"
CLAIM = f"GET /v1/job?@queues@ HTTP/1.1\n{FRESH_AGENT}\n"
WAIT = f"GET /v1/job?@queues@&wait=300 HTTP/1.1\n{AGENT}\n"
FRESH_WAIT = f"GET /v1/job?@queues@&wait=300 HTTP/1.1\n{FRESH_AGENT}\n"
POSITION = f"GET /v1/job/@waiting+@/position HTTP/1.1\n{USER}\n"


def post_result(body):
    return f"POST /v1/result/@job@ HTTP/1.1\n{AGENT}\n{JSON}\n\n{json.dumps(body)}"


RESULT = post_result({"status": {"setup": 0, "provision": 0, "test": 0}, "job_state": "test"})
COMPLETE = post_result({"job_state": "complete"})


def lists(agents, shared=False):
    """The lists behind the names above: so many agents, each with a name and a token of its own, on 64
    lists of queues or on one."""
    numbers = range(LISTS)
    return {
        "user_token": [sign(f"user-{number}", "contributor") for number in range(USERS)],
        "agent_token": [sign(f"lab-{number}", "agent") for number in range(agents)],
        "agent": [f"agent-{number}" for number in range(agents)],
        "queue": ["any"] if shared else [queue_list(number)[0] for number in numbers],
        "queues": [query(queue_list(0 if shared else number)) for number in numbers],
    }


# The least that keeps a job, as pgbench does it: one row, one index, one commit.
BARE_TABLE = """
CREATE TABLE public.bare (id uuid PRIMARY KEY, queue text NOT NULL, priority bigint NOT NULL,
                          created_at timestamptz NOT NULL DEFAULT now(), body text NOT NULL)"""

DEFINITION = ("""format('{"job_queue":"lab-%%s","provision_data":{"url":"http://images.test/image"},'"""
              """ || '"test_data":{"test_cmds":"%s"}}', :list::int)""") % PAD

BARE = rf"""
\set list random(0, 63)
INSERT INTO public.bare (id, queue, priority, body)
VALUES (gen_random_uuid(), 'lab-' || :list::int, 0, {DEFINITION});
"""
