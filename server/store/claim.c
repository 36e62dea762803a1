/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.claim_jobs. */
#include "server/store/claim.h"

#include "common/cleanup.h"
#include "server/db/db.h"

#include <stdio.h>

#define TOKEN_LIST_SIZE 64

static int run(struct db *db, const struct db_statement *statement, const char *param,
               struct claim *ret_claim, struct err *err)
{
    const struct db_param params[] = {db_text(param)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, statement, params, &rows, err) < 0)
        return -1;
    ret_claim->found = db_rows_count(&rows) > 0 && !db_rows_null(&rows, 0, 0);
    if (ret_claim->found && (buf_adds(ret_claim->body, db_rows_text(&rows, 0, 0)) < 0 ||
                             buf_adds(&ret_claim->secrets, db_rows_text(&rows, 0, 1)) < 0))
        return err_set(err, ERR_INTERNAL, "answer of the database is too large");
    (void)snprintf(ret_claim->job, sizeof(ret_claim->job), "%s",
                   ret_claim->found ? db_rows_text(&rows, 0, 2) : "");
    return 0;
}

int claim_store_take(struct db *db, const char *requests, const char *token,
                     struct claim *ret_claim, struct err *err)
{
    static const struct db_statement take = {
        .name = "claim_jobs",
        .sql = "SELECT body, secrets, job_id FROM api.claim_jobs($1)",
        .params = 1,
    };
    static const struct db_statement find = {
        .name = "claims_of",
        .sql = "SELECT body, secrets, job_id FROM api.claims_of($1)",
        .params = 1,
        .repeatable = true,
    };
    char list[TOKEN_LIST_SIZE];
    struct err lost = ERR_INIT;

    if (run(db, &take, requests, ret_claim, &lost) == 0)
        return 0;
    if (lost.code == ERR_UNAVAILABLE) {
        (void)snprintf(list, sizeof(list), "{%s}", token);
        if (run(db, &find, list, ret_claim, NULL) == 0 && ret_claim->found)
            return 0;
    }
    *err = lost; /* nothing was committed, or nobody can tell: the agent asks again */
    return -1;
}
