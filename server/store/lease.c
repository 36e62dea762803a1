/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.renew_leases. */
#include "server/store/lease.h"

#include "common/cleanup.h"
#include "server/store/list.h"

#include <string.h>

#define LOCKED "55P03"

enum { REQUEST, JOB_STATE, CANCELLED, EXPIRES_AT, FAILURE, WHY };

static int call(struct db *db, const struct renewal *renewals, size_t count,
                struct db_rows *ret_rows, struct err *err)
{
    static const struct db_statement renew = {
        .name = "renew_leases",
        .sql = "SELECT request, job_state, cancelled, expires_at, failure, why"
               " FROM api.renew_leases($1, $2, $3)",
        .params = 3,
        .repeatable = true,
    };
    AUTO(buf) struct buf ids = BUF_INIT(LIST_TEXT_MAX);
    AUTO(buf) struct buf agents = BUF_INIT(LIST_TEXT_MAX);
    AUTO(buf) struct buf tokens = BUF_INIT(LIST_TEXT_MAX);

    for (size_t i = 0; i < count; i++) {
        list_add(&ids, renewals[i].id);
        list_add(&agents, renewals[i].by.agent);
        list_add(&tokens, renewals[i].by.token);
    }
    if (list_end(&ids) < 0 || list_end(&agents) < 0 || list_end(&tokens) < 0)
        return err_set(err, ERR_INTERNAL, "renewals are too large");
    const struct db_param params[] = {db_text(buf_text(&ids)), db_text(buf_text(&agents)),
                                      db_text(buf_text(&tokens))};
    return db_query(db, &renew, params, ret_rows, err);
}

static void read_answer(const struct db_rows *rows, int row, struct renewal *renewal)
{
    if (strcmp(db_rows_text(rows, row, FAILURE), LOCKED) == 0) {
        renewal->locked = true;
        return;
    }
    if (!db_rows_null(rows, row, FAILURE)) {
        (void)db_failure(db_rows_text(rows, row, FAILURE), db_rows_text(rows, row, WHY),
                         renewal->err);
        return;
    }
    renewal->job_state = db_rows_text(rows, row, JOB_STATE);
    renewal->cancelled = db_rows_bool(rows, row, CANCELLED);
    if (!db_rows_null(rows, row, EXPIRES_AT))
        renewal->expires_at = db_rows_text(rows, row, EXPIRES_AT);
}

void lease_store_renew(struct db *db, struct renewal *renewals, size_t count,
                       struct lease_rows *ret_rows)
{
    struct err err = ERR_INIT;

    *ret_rows = (struct lease_rows){.rows = {.result = NULL}};
    if (call(db, renewals, count, &ret_rows->rows, &err) < 0) {
        for (size_t i = 0; i < count; i++)
            *renewals[i].err = err;
        return;
    }
    for (int row = 0; row < db_rows_count(&ret_rows->rows); row++) {
        int64_t request = db_rows_int(&ret_rows->rows, row, REQUEST);

        if (request >= 0 && request < (int64_t)count)
            read_answer(&ret_rows->rows, row, &renewals[request]);
    }
    for (size_t i = 0; i < count; i++)
        if (!renewals[i].job_state && !renewals[i].locked && !renewals[i].err->code)
            (void)err_set(renewals[i].err, ERR_INTERNAL, "renewal without an answer");
}

void lease_rows_done(struct lease_rows *rows)
{
    db_rows_done(&rows->rows);
}
