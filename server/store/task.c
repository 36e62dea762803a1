/* SPDX-License-Identifier: GPL-3.0-or-later
 * Periodic work, done by the database. */
#include "server/store/task.h"

#include "common/cleanup.h"
#include "server/db/db.h"

#include <string.h>

int task_store_run(struct db *db, const struct task_run *run, bool *ret_ran, bool *ret_more,
                   struct err *err)
{
    /* Done twice is done once more: every batch looks at what there is. */
    static const struct db_statement statement = {
        .name = "run_task",
        .sql = "SELECT what, count, kind, name FROM api.run_task($1, $2)",
        .params = 2,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(run->task), db_int(run->every_ms)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &statement, params, &rows, err) < 0)
        return -1;
    *ret_ran = false;
    *ret_more = false;
    for (int i = 0; i < db_rows_count(&rows); i++) {
        const char *what = db_rows_text(&rows, i, 0);

        if (!db_rows_null(&rows, i, 2))
            run->told(run->cls, db_rows_text(&rows, i, 2), db_rows_text(&rows, i, 3));
        else if (strcmp(what, "run") == 0)
            *ret_ran = true;
        else if (strcmp(what, "more") == 0)
            *ret_more = true;
        else
            run->count(run->cls, what, db_rows_int(&rows, i, 1));
    }
    return 0;
}
