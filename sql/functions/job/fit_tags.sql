-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether the tags of a submission can be indexed.  Those of a job that exists are there already.
CREATE FUNCTION tfx.fit_tags(p_facts jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM jsonb_array_elements_text(p_facts -> 'tags') t(tag)
                       WHERE octet_length(t.tag) > 1000)
        OR EXISTS (SELECT FROM tf.job j WHERE j.id = coalesce(p_facts ->> 'id', p_facts ->> 'new_id')::uuid);
END
$$;
