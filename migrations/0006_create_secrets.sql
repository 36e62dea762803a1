-- SPDX-License-Identifier: GPL-3.0-or-later
-- Secrets of clients.  The database keeps them sealed and has no key to open them.

CREATE TABLE tf.secret (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id  text COLLATE "C" NOT NULL,
    path       text COLLATE "C" NOT NULL,
    key_id     text NOT NULL,
    data_key   bytea NOT NULL,
    value      bytea NOT NULL,
    single_use boolean NOT NULL,
    expires_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    job_id     uuid,
    number     int,
    CONSTRAINT bound_as_a_whole CHECK ((job_id IS NULL) = (number IS NULL)),
    CONSTRAINT only_single_use_is_bound CHECK (job_id IS NULL OR single_use)
);
-- No foreign key to tf.client: the token of a client that was just deleted may still be used.
CREATE UNIQUE INDEX secret_by_path ON tf.secret (client_id, path) WHERE job_id IS NULL;
CREATE UNIQUE INDEX secret_by_job ON tf.secret (job_id, number) WHERE job_id IS NOT NULL;
CREATE INDEX secret_by_expiry ON tf.secret (expires_at) WHERE expires_at IS NOT NULL;
ALTER TABLE tf.secret ALTER COLUMN value SET STORAGE EXTERNAL;
COMMENT ON COLUMN tf.secret.key_id IS 'the master key that wraps data_key';
COMMENT ON COLUMN tf.secret.data_key IS 'opens value; wrapped by the master key';
COMMENT ON COLUMN tf.secret.single_use IS 'bound to the first job that is claimed with it';
COMMENT ON COLUMN tf.secret.job_id IS
    'the job it was spent on: gone for everybody else, kept until that job ends';
COMMENT ON COLUMN tf.secret.number IS 'which naming in that job has it';

-- What a living job names, in the order of its definition, from 0.
CREATE TABLE tf.job_secret (
    job_id uuid NOT NULL,
    number int NOT NULL,
    path   text COLLATE "C" NOT NULL,
    PRIMARY KEY (job_id, number)
);
