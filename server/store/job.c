/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.get_job and its like. */
#include "server/store/job.h"

#include "common/cleanup.h"
#include "server/db/db.h"
#include "server/store/row.h"

#include <stdio.h>

int job_store_get(struct db *db, const char *id, struct buf *ret_body, bool *ret_found,
                  struct err *err)
{
    static const struct db_statement get = {
        .name = "get_job",
        .sql = "SELECT body FROM api.get_job($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(id)};

    return row_text(db, &get, params, ret_body, ret_found, err);
}

int job_store_status(struct db *db, const char *id, const struct poster *by, struct buf *ret_body,
                     struct job_status *ret_status, struct err *err)
{
    static const struct db_statement get = {
        .name = "get_job_status",
        .sql = "SELECT body, version FROM api.get_job_status($1, $2, $3)",
        .params = 3,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(id), db_text(by->agent), db_text(by->token)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &get, params, &rows, err) < 0)
        return -1;
    *ret_status = (struct job_status){.found = db_rows_count(&rows) > 0};
    if (!ret_status->found)
        return 0;
    (void)snprintf(ret_status->version, sizeof(ret_status->version), "%s",
                   db_rows_text(&rows, 0, 1));
    if (buf_adds(ret_body, db_rows_text(&rows, 0, 0)) < 0)
        return err_set(err, ERR_INTERNAL, "answer of the database is too large");
    return 0;
}

int job_store_position(struct db *db, const char *id, int64_t *ret_position, struct err *err)
{
    static const struct db_statement get = {
        .name = "get_job_position",
        .sql = "SELECT position FROM api.get_job_position($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(id)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &get, params, &rows, err) < 0)
        return -1;
    if (db_rows_count(&rows) != 1 || db_rows_null(&rows, 0, 0))
        return err_set(err, ERR_GONE, "job \"%s\" is not waiting", id);
    *ret_position = db_rows_int(&rows, 0, 0);
    return 0;
}

int job_store_cancel(struct db *db, const char *id, const char *client_id, struct err *err)
{
    static const struct db_statement cancel = {
        .name = "cancel_job",
        .sql = "SELECT api.cancel_job($1, $2)",
        .params = 2,
    };
    const struct db_param params[] = {db_text(id), db_text(client_id)};

    return db_run(db, &cancel, params, err);
}

int job_store_touch(struct db *db, const char *id, const struct poster *by, const char *stopped,
                    struct err *err)
{
    static const struct db_statement touch = {
        .name = "touch_job",
        .sql = "SELECT api.touch_job($1, $2, $3, $4)",
        .params = 4,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(id), db_text(by->agent), db_text(by->token),
                                      db_text(stopped)};

    return db_run(db, &touch, params, err);
}

static int64_t int_or_none(const struct db_rows *rows, int column)
{
    return db_rows_null(rows, 0, column) ? -1 : db_rows_int(rows, 0, column);
}

int job_store_list(struct db *db, const char *query, struct job_list_place *place,
                   struct buf *ret_body, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_jobs",
        .sql = "SELECT body, next_at, floor_at FROM api.list_jobs($1, $2, $3)",
        .params = 3,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(query), place->at < 0 ? db_null() : db_int(place->at),
                                      place->floor < 0 ? db_null() : db_int(place->floor)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &list, params, &rows, err) < 0)
        return -1;
    if (db_rows_count(&rows) != 1)
        return err_set(err, ERR_INTERNAL, "list without an answer");
    if (buf_adds(ret_body, db_rows_text(&rows, 0, 0)) < 0)
        return err_set(err, ERR_INTERNAL, "answer of the database is too large");
    *place = (struct job_list_place){int_or_none(&rows, 1), int_or_none(&rows, 2)};
    return 0;
}
