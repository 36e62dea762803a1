/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.post_result and api.read_result. */
#include "server/store/result.h"

#include "server/store/row.h"

int result_store_post(struct db *db, const char *id, const struct poster *by,
                      const struct posted_result *what, struct buf *ret_queue, struct err *err)
{
    static const struct db_statement post = {
        .name = "post_result",
        .sql = "SELECT queue FROM api.post_result($1, $2, $3, $4, $5, $6, $7)",
        .params = 7,
        .repeatable = true,
    };
    const struct db_param params[] = {
        db_text(id),
        db_text(by->agent),
        db_text(by->token),
        db_text(what->status),
        db_text(what->device_info),
        db_text(what->job_state),
        db_text(what->stopped),
    };
    bool found;

    return row_text(db, &post, params, ret_queue, &found, err);
}

int result_store_read(struct db *db, const struct result_query *query, struct result_row *ret_row,
                      struct err *err)
{
    static const struct db_statement read = {
        .name = "read_result",
        .sql = "SELECT version, job_state, status, device_info, logs, attempt "
               "FROM api.read_result($1, $2, $3, $4, $5)",
        .params = 5,
        .repeatable = true,
    };
    const struct db_param params[] = {
        db_text(query->id),       db_text(query->by.agent),    db_text(query->seen),
        db_text(query->by.token), row_attempt(query->attempt),
    };
    struct result_row row = {.found = false};

    if (db_query(db, &read, params, &row.rows, err) < 0)
        return -1;
    row.found = db_rows_count(&row.rows) > 0;
    if (row.found) {
        row.version = db_rows_text(&row.rows, 0, 0);
        row.job_state = row_text_or_null(&row.rows, 1);
        row.status = row_text_or_null(&row.rows, 2);
        row.device_info = row_text_or_null(&row.rows, 3);
        row.logs = row_text_or_null(&row.rows, 4);
        row.attempt = db_rows_null(&row.rows, 0, 5) ? ATTEMPT_NEWEST : db_rows_int(&row.rows, 0, 5);
    }
    *ret_row = row;
    return 0;
}

void result_row_done(struct result_row *row)
{
    db_rows_done(&row->rows);
}
