/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.claim_jobs. */
#include "server/store/claim.h"

#include "server/db/db.h"
#include "server/store/row.h"

#include <stdio.h>

#define TOKEN_LIST_SIZE 64

int claim_store_take(struct db *db, const char *requests, const char *token, struct buf *ret_body,
                     bool *ret_found, struct err *err)
{
    static const struct db_statement take = {
        .name = "claim_jobs",
        .sql = "SELECT body FROM api.claim_jobs($1)",
        .params = 1,
    };
    static const struct db_statement find = {
        .name = "claims_of",
        .sql = "SELECT body FROM api.claims_of($1)",
        .params = 1,
        .repeatable = true,
    };
    char list[TOKEN_LIST_SIZE];
    struct err lost = ERR_INIT;
    const struct db_param params[] = {db_text(requests)};
    struct db_param find_params[1];

    if (row_text(db, &take, params, ret_body, ret_found, &lost) == 0)
        return 0;
    if (lost.code == ERR_UNAVAILABLE) {
        (void)snprintf(list, sizeof(list), "{%s}", token);
        find_params[0] = db_text(list);
        if (row_text(db, &find, find_params, ret_body, ret_found, NULL) == 0 && *ret_found)
            return 0;
    }
    *err = lost; /* nothing was committed, or nobody can tell: the agent asks again */
    return -1;
}
