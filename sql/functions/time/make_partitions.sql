-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes the weekly partitions from last week to p_ahead weeks from now where they are missing.
-- Returns how many it made.  Rows the DEFAULT partition caught meanwhile move to where they belong.
CREATE FUNCTION tfx.make_partitions(p_ahead int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_week date;
    v_base text;
    v_name text;
    v_made int := 0;
BEGIN
    -- One at a time, whoever asks: an administrator and every server do.
    PERFORM pg_advisory_xact_lock(hashtext('testflinger'), hashtext('make_partitions'));
    FOR v_week IN
        SELECT tfx.find_week(now()) + 7 * n FROM generate_series(-1, p_ahead) n
    LOOP
        FOREACH v_base IN ARRAY ARRAY['definition', 'log', 'result', 'file', 'chunk'] LOOP
            v_name := format('%s_%s', v_base, to_char(v_week, 'YYYYMMDD'));
            CONTINUE WHEN to_regclass('tf.' || v_name) IS NOT NULL;
            -- Nothing may slip into the DEFAULT partition between the move and the attachment.
            EXECUTE format('LOCK TABLE tf.%I IN ACCESS EXCLUSIVE MODE', v_base || '_default');
            EXECUTE format('CREATE TABLE tf.%I (LIKE tf.%I INCLUDING ALL)', v_name, v_base);
            EXECUTE format('WITH strays AS (DELETE FROM tf.%I WHERE week >= %L AND week < %L'
                           ' RETURNING *) INSERT INTO tf.%I SELECT * FROM strays',
                           v_base || '_default', v_week, v_week + 7, v_name);
            EXECUTE format('ALTER TABLE tf.%I ATTACH PARTITION tf.%I FOR VALUES FROM (%L) TO (%L)',
                           v_base, v_name, v_week, v_week + 7);
            v_made := v_made + 1;
        END LOOP;
    END LOOP;
    RETURN v_made;
END
$$;
