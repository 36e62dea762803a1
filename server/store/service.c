/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the service says about itself, as far as the database knows it. */
#include "server/store/service.h"

#include "server/db/db.h"

static int judge_schema(int64_t version, int64_t oldest_server, struct err *err)
{
    if (version < SCHEMA_WANTED)
        return err_set(err, ERR_CONFLICT,
                       "database schema has version %d, this server wants %d or later: run "
                       "testflinger-dbadmin migrate",
                       (int)version, SCHEMA_WANTED);
    if (oldest_server > SCHEMA_WANTED)
        return err_set(err, ERR_CONFLICT,
                       "database schema has version %d, which serves servers for version %d or "
                       "later; this one is for %d",
                       (int)version, (int)oldest_server, SCHEMA_WANTED);
    return 0;
}

int service_store_check_schema(struct db *db, struct err *err)
{
    static const struct db_statement check = {
        .name = "check_schema",
        .sql = "SELECT version, oldest_server FROM api.check_schema()",
        .repeatable = true,
    };
    struct err why = ERR_INIT;
    struct db_rows rows;
    int rc;

    if (db_query(db, &check, NULL, &rows, &why) < 0)
        return why.code == ERR_INTERNAL
                   ? err_set(err, ERR_CONFLICT,
                             "database has no schema for this server (%s): run "
                             "testflinger-dbadmin migrate",
                             why.text)
                   : err_set(err, why.code, "%s", why.text);
    if (db_rows_count(&rows) == 1)
        rc = judge_schema(db_rows_int(&rows, 0, 0), db_rows_int(&rows, 0, 1), err);
    else
        rc = err_set(err, ERR_CONFLICT, "database schema has no version, this server wants %d",
                     SCHEMA_WANTED);
    db_rows_done(&rows);
    return rc;
}

int service_store_series(struct db *db, void (*add)(void *cls, const struct series_value *value),
                         void *cls, struct err *err)
{
    static const struct db_statement list = {
        .name = "read_series",
        .sql = "SELECT series, label, value FROM api.read_series()",
        .repeatable = true,
    };
    struct db_rows rows;

    if (db_query(db, &list, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < db_rows_count(&rows); i++)
        add(cls, &(struct series_value){
                     .series = db_rows_text(&rows, i, 0),
                     .label = db_rows_null(&rows, i, 1) ? NULL : db_rows_text(&rows, i, 1),
                     .value = db_rows_int(&rows, i, 2),
                 });
    db_rows_done(&rows);
    return 0;
}
