-- SPDX-License-Identifier: GPL-3.0-or-later
-- The outcome of a finished job by the exit codes its agent posted (JSON text, phase -> int).
-- What comes before the test decides first, then the test, then what follows; cleanup concerns the
-- device, not the job.
CREATE FUNCTION tfx.judge_status(p_status text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((
        SELECT rule.outcome
        FROM (VALUES (1, 'setup', 'infra_failed'), (2, 'provision', 'infra_failed'),
                     (3, 'firmware_update', 'infra_failed'), (4, 'test', 'failed'),
                     (5, 'allocate', 'infra_failed'), (6, 'reserve', 'infra_failed'))
             rule(rank, phase, outcome)
        WHERE coalesce(p_status::jsonb ->> rule.phase, '0') <> '0'
        ORDER BY rule.rank LIMIT 1), 'passed')
$$;
