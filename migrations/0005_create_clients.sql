-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who may log in, what for, and the refresh tokens given out.

CREATE TABLE tf.client (
    client_id            text COLLATE "C" PRIMARY KEY,
    secret_hash          text,
    role                 tf.role_name,
    email                text,
    max_priority         jsonb,
    max_reservation_time jsonb,
    queues_granted       boolean NOT NULL DEFAULT false,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN tf.client.secret_hash IS 'bcrypt; NULL: logs in another way';
COMMENT ON COLUMN tf.client.role IS 'NULL was never given and means contributor';
COMMENT ON COLUMN tf.client.queues_granted IS 'allowed_queues is shown, even when empty again';

-- Owners of restricted queues, in the order in which they were granted.
CREATE TABLE tf.queue_owner (
    queue     text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL REFERENCES tf.client ON DELETE CASCADE,
    seq       bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (queue, client_id)
);
CREATE INDEX queue_owner_by_client ON tf.queue_owner (client_id);

-- The token itself is never stored.
CREATE TABLE tf.refresh_token (
    sha256     bytea PRIMARY KEY,
    client_id  text COLLATE "C" NOT NULL REFERENCES tf.client ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_used  timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX refresh_token_by_client ON tf.refresh_token (client_id);
