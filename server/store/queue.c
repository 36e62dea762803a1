/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.set_advertised_queues and the lists of queues. */
#include "server/store/queue.h"

#include "server/db/db.h"
#include "server/store/row.h"

int queue_store_advertise(struct db *db, const char *queues, struct err *err)
{
    static const struct db_statement set = {
        .name = "set_advertised_queues",
        .sql = "SELECT api.set_advertised_queues($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(queues)};

    return db_run(db, &set, params, err);
}

int queue_store_list_advertised(struct db *db, struct buf *ret_body, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_advertised_queues",
        .sql = "SELECT body FROM api.list_advertised_queues()",
        .repeatable = true,
    };
    bool found;

    if (row_text(db, &list, NULL, ret_body, &found, err) < 0)
        return -1;
    return found || buf_adds(ret_body, "{}") == 0 ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

int queue_store_agents(struct db *db, const char *queue, struct buf *ret_body, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_queue_agents",
        .sql = "SELECT body FROM api.list_queue_agents($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(queue)};
    bool found;

    if (row_text(db, &list, params, ret_body, &found, err) < 0)
        return -1;
    return found ? 0 : err_set(err, ERR_NOT_FOUND, "no agent serves queue \"%.200s\"", queue);
}

int queue_store_set_images(struct db *db, const char *images, struct err *err)
{
    static const struct db_statement set = {
        .name = "set_queue_images",
        .sql = "SELECT api.set_queue_images($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(images)};

    return db_run(db, &set, params, err);
}

int queue_store_images(struct db *db, const char *queue, struct buf *ret_body, struct err *err)
{
    static const struct db_statement get = {
        .name = "get_queue_images",
        .sql = "SELECT body FROM api.get_queue_images($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(queue)};
    bool found;

    return row_text(db, &get, params, ret_body, &found, err);
}

int queue_store_wait_times(struct db *db, const char *queues, struct buf *ret_body, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_wait_times",
        .sql = "SELECT body FROM api.list_wait_times($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(queues)};
    bool found;

    return row_text(db, &list, params, ret_body, &found, err);
}
