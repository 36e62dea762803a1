-- SPDX-License-Identifier: GPL-3.0-or-later
-- The phase that decides how a job ended, by the exit codes its agent posted (JSON, phase -> int);
-- NULL: none failed.  What comes before the test decides first, then the test, then what follows;
-- cleanup concerns the device, not the job.
CREATE FUNCTION tfx.find_failed_phase(p_codes jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_phase text;
BEGIN
    FOREACH v_phase IN ARRAY '{setup,provision,firmware_update,test,allocate,reserve}'::text[] LOOP
        IF coalesce(p_codes ->> v_phase, '0') <> '0' THEN
            RETURN v_phase;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
