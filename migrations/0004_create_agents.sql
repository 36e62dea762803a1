-- SPDX-License-Identifier: GPL-3.0-or-later
-- Agents and queues.  A NULL column was never reported and is left out of the answers.

CREATE TABLE tf.agent (
    name                   text COLLATE "C" PRIMARY KEY,
    state                  text,
    queues                 text[] COLLATE "C",
    location               text,
    provision_type         text,
    job_id                 text,
    comment                text,
    identifier             text,
    provision_streak_type  text,
    provision_streak_count int,
    log                    text[],
    updated_at             timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
COMMENT ON COLUMN tf.agent.log IS 'the last 100 lines the agent reported';

CREATE TABLE tf.agent_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent      text COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    from_state text,
    to_state   text,
    comment    text,
    by         text,
    job_id     text
);
CREATE INDEX agent_event_by_agent ON tf.agent_event (agent, id);

CREATE TABLE tf.advertised_queue (
    queue       text COLLATE "C" PRIMARY KEY,
    description text NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tf.restricted_queue (
    queue text COLLATE "C" PRIMARY KEY
);
