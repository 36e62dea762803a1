/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside server/store only: functions that answer with one text. */
#ifndef SERVER_STORE_ROW_H
#define SERVER_STORE_ROW_H

#include "common/buf.h"
#include "common/err.h"
#include "server/db/db.h"
#include "server/store/page.h"

#include <stdbool.h>
#include <stdint.h>

/* An attempt as the functions take it: NULL for the newest. */
struct db_param row_attempt(int64_t attempt);

/* A column of the first row; NULL for SQL NULL. */
const char *row_text_or_null(const struct db_rows *rows, int column);

/* Appends the first column of the first row to *ret_text.  *ret_found is false, and nothing is
 * added, if there is no row or the value is NULL. */
int row_text(struct db *db, const struct db_statement *statement, const struct db_param *params,
             struct buf *ret_text, bool *ret_found, struct err *err);

/* For functions of (after, limit) that answer with body and next_after: appends the body, and to
 * *ret_next where the next page begins; nothing at the end. */
int row_page(struct db *db, const struct db_statement *statement, const struct store_page *page,
             struct buf *ret_body, struct buf *ret_next, struct err *err);

#endif
