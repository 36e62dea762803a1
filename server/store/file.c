/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.open_file, api.write_chunk and their like. */
#include "server/store/file.h"

#include "common/cleanup.h"
#include "server/db/db.h"
#include "server/store/row.h"

#include <stdio.h>

int file_store_open(struct db *db, const char *id, const char *kind, const struct poster *by,
                    char ret_file[static UUID_TEXT_SIZE], struct err *err)
{
    static const struct db_statement open = {
        .name = "open_file",
        .sql = "SELECT file_id FROM api.open_file($1, $2, $3, $4)",
        .params = 4,
    };
    const struct db_param params[] = {db_text(id), db_text(kind), db_text(by->agent),
                                      db_text(by->token)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &open, params, &rows, err) < 0)
        return -1;
    (void)snprintf(ret_file, UUID_TEXT_SIZE, "%s",
                   db_rows_count(&rows) > 0 ? db_rows_text(&rows, 0, 0) : "");
    return 0;
}

int file_store_write(struct db *db, const char *file, int64_t number, const void *data, size_t len,
                     struct err *err)
{
    static const struct db_statement write = {
        .name = "write_chunk",
        .sql = "SELECT api.write_chunk($1, $2, $3)",
        .params = 3,
    };
    const struct db_param params[] = {db_text(file), db_int(number), db_bytes(data, len)};

    return db_run(db, &write, params, err);
}

int file_store_finish(struct db *db, const char *file, int64_t size_bytes,
                      const unsigned char hash[static FILE_HASH_BYTES], struct buf *ret_queue,
                      struct err *err)
{
    static const struct db_statement finish = {
        .name = "finish_file",
        .sql = "SELECT queue FROM api.finish_file($1, $2, $3)",
        .params = 3,
    };
    const struct db_param params[] = {db_text(file), db_int(size_bytes),
                                      db_bytes(hash, FILE_HASH_BYTES)};
    bool found;

    return row_text(db, &finish, params, ret_queue, &found, err);
}

int file_store_abandon(struct db *db, const char *file, struct err *err)
{
    static const struct db_statement abandon = {
        .name = "abandon_file",
        .sql = "SELECT api.abandon_file($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(file)};

    return db_run(db, &abandon, params, err);
}

int file_store_get(struct db *db, const struct file_query *query, struct file_info *ret_info,
                   struct err *err)
{
    static const struct db_statement get = {
        .name = "get_file",
        .sql = "SELECT file_id, size, sha256 FROM api.get_file($1, $2, $3, $4, $5)",
        .params = 5,
        .repeatable = true,
    };
    const struct db_param params[] = {
        db_text(query->id),       db_text(query->kind),        db_text(query->by.agent),
        db_text(query->by.token), row_attempt(query->attempt),
    };
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &get, params, &rows, err) < 0)
        return -1;
    ret_info->found = db_rows_count(&rows) > 0;
    if (ret_info->found) {
        (void)snprintf(ret_info->file, sizeof(ret_info->file), "%s", db_rows_text(&rows, 0, 0));
        ret_info->size_bytes = db_rows_int(&rows, 0, 1);
        (void)snprintf(ret_info->sha256, sizeof(ret_info->sha256), "%s", db_rows_text(&rows, 0, 2));
    }
    return 0;
}

int file_store_read(struct db *db, const char *file, int64_t number, struct buf *ret_data,
                    struct err *err)
{
    static const struct db_statement read = {
        .name = "read_chunk",
        .sql = "SELECT data FROM api.read_chunk($1, $2)",
        .params = 2,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(file), db_int(number)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    const void *data;
    size_t len;

    if (db_query_binary(db, &read, params, &rows, err) < 0)
        return -1;
    if (db_rows_count(&rows) != 1)
        return err_set(err, ERR_INTERNAL, "chunk %lld of a file is gone", (long long)number);
    data = db_rows_bytes(&rows, 0, 0, &len);
    if (buf_add(ret_data, data, len) < 0)
        return err_set(err, ERR_INTERNAL, "chunk of a file is too large");
    return 0;
}
