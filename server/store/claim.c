/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.claim_jobs and its like. */
#include "server/store/claim.h"

#include "common/cleanup.h"
#include "server/db/db.h"

#include <stdio.h>

#define TOKEN_LIST_SIZE 64

/* Columns body, secrets, job_id of the first row, if there is one. */
static int read_claim(const struct db_rows *rows, struct claim *ret_claim, struct err *err)
{
    ret_claim->found = db_rows_count(rows) > 0 && !db_rows_null(rows, 0, 0);
    ret_claim->job[0] = '\0';
    if (!ret_claim->found)
        return 0;
    (void)snprintf(ret_claim->job, sizeof(ret_claim->job), "%s", db_rows_text(rows, 0, 2));
    if (buf_adds(ret_claim->body, db_rows_text(rows, 0, 0)) < 0 ||
        buf_adds(&ret_claim->secrets, db_rows_text(rows, 0, 1)) < 0)
        return err_set(err, ERR_INTERNAL, "answer of the database is too large");
    return 0;
}

/* After a failed claim: was it committed all the same?  err says why it failed. */
static int find_committed(struct db *db, const char *token, struct claim *ret_claim,
                          const struct err *err)
{
    static const struct db_statement find = {
        .name = "claims_of",
        .sql = "SELECT body, secrets, job_id FROM api.claims_of($1)",
        .params = 1,
        .repeatable = true,
    };
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    char list[TOKEN_LIST_SIZE];
    struct db_param param;

    if (err->code != ERR_UNAVAILABLE)
        return -1;
    (void)snprintf(list, sizeof(list), "{%s}", token);
    param = db_text(list);
    if (db_query(db, &find, &param, &rows, NULL) < 0 || read_claim(&rows, ret_claim, NULL) < 0)
        return -1;
    return ret_claim->found ? 0 : -1;
}

int claim_store_take(struct db *db, const struct claim_request *request, struct claim *ret_claim,
                     struct err *err)
{
    static const struct db_statement take = {
        .name = "claim_jobs",
        .sql = "SELECT body, secrets, job_id FROM api.claim_jobs($1)",
        .params = 1,
    };
    const struct db_param params[] = {db_text(request->list)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    struct err why = ERR_INIT;

    if (db_query(db, &take, params, &rows, &why) == 0)
        return read_claim(&rows, ret_claim, err);
    if (find_committed(db, request->token, ret_claim, &why) == 0)
        return 0;
    *err = why; /* nothing was committed, or nobody can tell: the agent asks again */
    return -1;
}

int claim_store_wait(struct db *db, const struct claim_request *request, const char *seen,
                     struct claim *ret_claim, struct err *err)
{
    static const struct db_statement wait = {
        .name = "claim_or_wait",
        .sql = "SELECT body, secrets, job_id, seen, changed, others FROM api.claim_or_wait($1, $2)",
        .params = 2,
    };
    const struct db_param params[] = {db_text(request->list), db_text(*seen ? seen : NULL)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    struct err why = ERR_INIT;

    if (db_query(db, &wait, params, &rows, &why) < 0) {
        if (find_committed(db, request->token, ret_claim, &why) == 0)
            return 0;
        *err = why;
        return -1;
    }
    if (db_rows_count(&rows) != 1)
        return err_set(err, ERR_INTERNAL, "claim without an answer");
    (void)snprintf(ret_claim->seen, sizeof(ret_claim->seen), "%s", db_rows_text(&rows, 0, 3));
    ret_claim->changed = db_rows_bool(&rows, 0, 4);
    ret_claim->others = db_rows_bool(&rows, 0, 5);
    return read_claim(&rows, ret_claim, err);
}

int claim_store_return(struct db *db, const char *job, const char *token, int64_t delay_s,
                       struct err *err)
{
    static const struct db_statement give_back = {
        .name = "return_claim",
        .sql = "SELECT returned FROM api.return_claim($1, $2, $3)",
        .params = 3,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(job), db_text(token), db_int(delay_s)};

    return db_run(db, &give_back, params, err);
}
