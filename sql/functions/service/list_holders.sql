-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whatever keeps VACUUM from removing rows of this database that died since then: who, in words, since when
-- (NULL: not known), and how many transactions behind.  Only the role pg_read_all_stats sees sessions of
-- others.
CREATE FUNCTION tfx.list_holders() RETURNS TABLE (who text, since timestamptz, behind int)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT format('pid %s, application %s, user %s', a.pid, a.application_name, a.usename), a.xact_start,
           greatest(age(a.backend_xmin), age(a.backend_xid))
    FROM pg_stat_activity a
    WHERE (a.datname = current_database() OR a.backend_type = 'walsender')
        AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.pid <> pg_backend_pid()
        AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum p WHERE p.pid = a.pid)
    UNION ALL
    SELECT format('prepared transaction %s, user %s', x.gid, x.owner), x.prepared, age(x.transaction)
    FROM pg_prepared_xacts x WHERE x.database = current_database()
    UNION ALL
    SELECT format('replication slot %s', r.slot_name), NULL, age(r.xmin)
    FROM pg_replication_slots r WHERE r.xmin IS NOT NULL;
END
$$;
