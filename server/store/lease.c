/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.renew_lease. */
#include "server/store/lease.h"

#include <string.h>

int lease_store_renew(struct db *db, const char *id, const struct poster *by,
                      struct lease_row *ret_row, struct err *err)
{
    static const struct db_statement renew = {
        .name = "renew_lease",
        .sql = "SELECT job_state, cancelled, expires_at FROM api.renew_lease($1, $2, $3)",
        .params = 3,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(id), db_text(by->agent), db_text(by->token)};
    struct lease_row row = {.cancelled = false};

    if (db_query(db, &renew, params, &row.rows, err) < 0)
        return -1;
    if (db_rows_count(&row.rows) != 1) {
        db_rows_done(&row.rows);
        return err_set(err, ERR_INTERNAL, "renewal without an answer");
    }
    row.job_state = db_rows_text(&row.rows, 0, 0);
    row.cancelled = strcmp(db_rows_text(&row.rows, 0, 1), "t") == 0;
    if (!db_rows_null(&row.rows, 0, 2))
        row.expires_at = db_rows_text(&row.rows, 0, 2);
    *ret_row = row;
    return 0;
}

void lease_row_done(struct lease_row *row)
{
    db_rows_done(&row->rows);
}
