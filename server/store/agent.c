/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.post_agent, api.list_agents and api.get_agent. */
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

int agent_store_list(struct db *db, struct buf *ret_body, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_agents",
        .sql = "SELECT body FROM api.list_agents()",
        .repeatable = true,
    };
    bool found;

    if (row_text(db, &list, NULL, ret_body, &found, err) < 0)
        return -1;
    return found || buf_adds(ret_body, "[]") == 0 ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
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
