-- SPDX-License-Identifier: GPL-3.0-or-later
-- The number from which on jobs were submitted at p_since or later.  Numbers and times of submission
-- rise together (but for transactions under way at one moment), so it is found by halving.
CREATE FUNCTION tfx.find_first_since(p_since timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_old bigint := coalesce((SELECT min(j.seq) FROM tf.job j), 1) - 1;
    v_new bigint := coalesce((SELECT max(j.seq) FROM tf.job j), 0) + 1;
    v_seq bigint;
    v_at timestamptz;
BEGIN
    WHILE v_new - v_old > 1 LOOP
        SELECT j.seq, j.created_at INTO v_seq, v_at
        FROM tf.job j WHERE j.seq >= v_old + (v_new - v_old) / 2 ORDER BY j.seq LIMIT 1;
        IF v_at >= p_since THEN
            v_new := v_old + (v_new - v_old) / 2;
        ELSE
            v_old := v_seq;
        END IF;
    END LOOP;
    RETURN greatest(v_new, v_old + 1);
END
$$;
