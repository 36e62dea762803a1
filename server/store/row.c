/* SPDX-License-Identifier: GPL-3.0-or-later
 * One row, one text. */
#include "server/store/row.h"

#include "common/cleanup.h"

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
