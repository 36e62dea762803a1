-- SPDX-License-Identifier: GPL-3.0-or-later
-- How provisioning ended, as agents tell it: the last 100 of each agent.
CREATE TABLE tf.provision_log (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent     text COLLATE "C" NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    job_id    text NOT NULL,
    exit_code bigint NOT NULL,
    detail    text
);
CREATE INDEX provision_log_by_agent ON tf.provision_log (agent, id);
COMMENT ON COLUMN tf.provision_log.job_id IS 'whatever text the agent gave';
