/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.add_queue_owner and its like. */
#include "server/store/restriction.h"

#include "server/db/db.h"
#include "server/store/row.h"

int restriction_store_list(struct db *db, const struct store_page *page, struct buf *ret_body,
                           struct buf *ret_next, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_restricted_queues",
        .sql = "SELECT body, next_after FROM api.list_restricted_queues($1, $2)",
        .params = 2,
        .repeatable = true,
    };

    return row_page(db, &list, page, ret_body, ret_next, err);
}

int restriction_store_get(struct db *db, const char *queue, struct buf *ret_body, struct err *err)
{
    static const struct db_statement get = {
        .name = "get_restricted_queue",
        .sql = "SELECT body FROM api.get_restricted_queue($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(queue)};
    bool found;

    return row_text(db, &get, params, ret_body, &found, err);
}

int restriction_store_add(struct db *db, const char *queue, const char *client_id, struct err *err)
{
    static const struct db_statement add = {
        .name = "add_queue_owner",
        .sql = "SELECT api.add_queue_owner($1, $2)",
        .params = 2,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(queue), db_text(client_id)};

    return db_run(db, &add, params, err);
}

int restriction_store_remove(struct db *db, const char *queue, const char *client_id,
                             struct err *err)
{
    static const struct db_statement drop = {
        .name = "remove_queue_owner",
        .sql = "SELECT api.remove_queue_owner($1, $2)",
        .params = 2,
    };
    const struct db_param params[] = {db_text(queue), db_text(client_id)};

    return db_run(db, &drop, params, err);
}
