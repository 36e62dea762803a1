/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.put_secret and api.delete_secret.  Neither is repeated by itself: in between a single-use
 * secret may have been spent, or another one written. */
#include "server/store/secret.h"

#include "server/store/row.h"

int secret_store_put(struct db *db, const struct secret_row *secret, struct buf *ret_body,
                     struct err *err)
{
    static const struct db_statement put = {
        .name = "put_secret",
        .sql = "SELECT body FROM api.put_secret($1, $2, $3, $4, $5, $6, $7)",
        .params = 7,
    };
    const struct db_param params[] = {
        db_text(secret->client_id),
        db_text(secret->path),
        db_text(secret->key_id),
        db_bytes(secret->data_key, secret->data_key_len),
        db_bytes(buf_text(secret->value), secret->value->len),
        db_bool(secret->single_use),
        secret->expire_after_s > 0 ? db_int(secret->expire_after_s) : db_null(),
    };
    bool found;

    if (row_text(db, &put, params, ret_body, &found, err) < 0)
        return -1;
    return found ? 0 : err_set(err, ERR_INTERNAL, "secret without an answer");
}

int secret_store_delete(struct db *db, const char *client_id, const char *path, struct err *err)
{
    static const struct db_statement drop = {
        .name = "delete_secret",
        .sql = "SELECT api.delete_secret($1, $2)",
        .params = 2,
    };
    const struct db_param params[] = {db_text(client_id), db_text(path)};

    return db_run(db, &drop, params, err);
}
