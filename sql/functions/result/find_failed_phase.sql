-- SPDX-License-Identifier: GPL-3.0-or-later
-- The phase that decides how a job ended, by the exit codes its agent posted (JSON text, phase -> int);
-- NULL: none failed.  What comes before the test decides first, then the test, then what follows;
-- cleanup concerns the device, not the job.
CREATE FUNCTION tfx.find_failed_phase(p_status text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT e.phase
    FROM unnest('{setup,provision,firmware_update,test,allocate,reserve}'::text[])
        WITH ORDINALITY e(phase, rank)
    WHERE coalesce(p_status::jsonb ->> e.phase, '0') <> '0'
    ORDER BY e.rank LIMIT 1
$$;
