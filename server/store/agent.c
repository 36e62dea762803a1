/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.post_agent and its like. */
#include "server/store/agent.h"

#include "server/db/db.h"
#include "server/store/row.h"

int agent_store_post(struct db *db, const char *name, const char *data, const char *by,
                     struct err *err)
{
    static const struct db_statement post = {
        .name = "post_agent",
        .sql = "SELECT api.post_agent($1, $2, $3)",
        .params = 3,
    };
    const struct db_param params[] = {db_text(name), db_text(data), db_text(by)};

    return db_run(db, &post, params, err);
}

int agent_store_provision_log(struct db *db, const char *name, const struct provision_log *log,
                              struct err *err)
{
    static const struct db_statement post = {
        .name = "post_provision_log",
        .sql = "SELECT api.post_provision_log($1, $2, $3, $4)",
        .params = 4,
    };
    const struct db_param params[] = {db_text(name), db_text(log->job_id), db_int(log->exit_code),
                                      db_text(log->detail)};

    return db_run(db, &post, params, err);
}

int agent_store_list(struct db *db, const struct store_page *page, struct buf *ret_body,
                     struct buf *ret_next, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_agents",
        .sql = "SELECT body, next_after FROM api.list_agents($1, $2)",
        .params = 2,
        .repeatable = true,
    };

    return row_page(db, &list, page, ret_body, ret_next, err);
}

int agent_store_get(struct db *db, const char *name, struct buf *ret_body, bool *ret_found,
                    struct err *err)
{
    static const struct db_statement get = {
        .name = "get_agent",
        .sql = "SELECT body FROM api.get_agent($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(name)};

    return row_text(db, &get, params, ret_body, ret_found, err);
}
