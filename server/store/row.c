/* SPDX-License-Identifier: GPL-3.0-or-later
 * One row, one text. */
#include "server/store/row.h"

#include "common/cleanup.h"
#include "server/store/result.h"

struct db_param row_attempt(int64_t attempt)
{
    return attempt == ATTEMPT_NEWEST ? db_null() : db_int(attempt);
}

const char *row_text_or_null(const struct db_rows *rows, int column)
{
    return db_rows_null(rows, 0, column) ? NULL : db_rows_text(rows, 0, column);
}

int row_text(struct db *db, const struct db_statement *statement, const struct db_param *params,
             struct buf *ret_text, bool *ret_found, struct err *err)
{
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, statement, params, &rows, err) < 0)
        return -1;
    *ret_found = db_rows_count(&rows) > 0 && !db_rows_null(&rows, 0, 0);
    if (*ret_found && buf_adds(ret_text, db_rows_text(&rows, 0, 0)) < 0)
        return err_set(err, ERR_INTERNAL, "answer of the database is too large");
    return 0;
}

int row_page(struct db *db, const struct db_statement *statement, const struct store_page *page,
             struct buf *ret_body, struct buf *ret_next, struct err *err)
{
    const struct db_param params[] = {db_text(page->after),
                                      page->limit ? db_int(page->limit) : db_null()};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, statement, params, &rows, err) < 0)
        return -1;
    if (db_rows_count(&rows) != 1)
        return err_set(err, ERR_INTERNAL, "list without an answer");
    if (buf_adds(ret_body, db_rows_text(&rows, 0, 0)) < 0 ||
        buf_adds(ret_next, db_rows_text(&rows, 0, 1)) < 0)
        return err_set(err, ERR_INTERNAL, "answer of the database is too large");
    return 0;
}
