/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside server/store only: functions that answer with one text. */
#ifndef SERVER_STORE_ROW_H
#define SERVER_STORE_ROW_H

#include "common/buf.h"
#include "common/err.h"
#include "server/db/db.h"

#include <stdbool.h>

/* Appends the first column of the first row to *ret_text.  *ret_found is false, and nothing is
 * added, if there is no row or the value is NULL. */
int row_text(struct db *db, const struct db_statement *statement, const struct db_param *params,
             struct buf *ret_text, bool *ret_found, struct err *err);

#endif
