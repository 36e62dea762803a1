/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.get_client_secret, the refresh tokens and the client permissions. */
#include "server/store/client.h"

#include "common/cleanup.h"
#include "server/store/row.h"

int client_store_secret(struct db *db, const char *client_id, struct client_secret *ret_secret,
                        struct err *err)
{
    static const struct db_statement get = {
        .name = "get_client_secret",
        .sql = "SELECT secret_hash, permissions FROM api.get_client_secret($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(client_id)};
    struct client_secret secret = {.hash = NULL};

    if (db_query(db, &get, params, &secret.rows, err) < 0)
        return -1;
    if (db_rows_count(&secret.rows) > 0 && !db_rows_null(&secret.rows, 0, 0)) {
        secret.hash = db_rows_text(&secret.rows, 0, 0);
        secret.permissions = db_rows_text(&secret.rows, 0, 1);
    }
    *ret_secret = secret;
    return 0;
}

void client_secret_done(struct client_secret *secret)
{
    db_rows_done(&secret->rows);
}

int client_store_add_token(struct db *db, const char *client_id,
                           const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                           int64_t lifetime_s, struct err *err)
{
    static const struct db_statement add = {
        .name = "add_refresh_token",
        .sql = "SELECT api.add_refresh_token($1, $2, $3)",
        .params = 3,
    };
    const struct db_param params[] = {db_text(client_id), db_bytes(hash, CLIENT_TOKEN_HASH_BYTES),
                                      db_int(lifetime_s)};

    return db_run(db, &add, params, err);
}

int client_store_use_token(struct db *db, const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                           struct buf *ret_permissions, struct err *err)
{
    static const struct db_statement use = {
        .name = "use_refresh_token",
        .sql = "SELECT permissions FROM api.use_refresh_token($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_bytes(hash, CLIENT_TOKEN_HASH_BYTES)};
    bool found;

    if (row_text(db, &use, params, ret_permissions, &found, err) < 0)
        return -1;
    return found ? 0 : err_set(err, ERR_BAD_REQUEST, "unknown refresh token");
}

int client_store_revoke_token(struct db *db,
                              const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                              struct err *err)
{
    static const struct db_statement revoke = {
        .name = "revoke_refresh_token",
        .sql = "SELECT api.revoke_refresh_token($1)",
        .params = 1,
    };
    const struct db_param params[] = {db_bytes(hash, CLIENT_TOKEN_HASH_BYTES)};

    return db_run(db, &revoke, params, err);
}

int client_store_list(struct db *db, struct buf *ret_body, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_clients",
        .sql = "SELECT body FROM api.list_clients()",
        .repeatable = true,
    };
    bool found;

    if (row_text(db, &list, NULL, ret_body, &found, err) < 0)
        return -1;
    return found || buf_adds(ret_body, "[]") == 0 ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

int client_store_get(struct db *db, const char *client_id, struct buf *ret_body, struct err *err)
{
    static const struct db_statement get = {
        .name = "get_client",
        .sql = "SELECT body FROM api.get_client($1)",
        .params = 1,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(client_id)};
    bool found;

    if (row_text(db, &get, params, ret_body, &found, err) < 0)
        return -1;
    return found ? 0 : err_set(err, ERR_NOT_FOUND, "no client \"%.200s\"", client_id);
}

int client_store_put(struct db *db, const char *client_id, const char *caller_role,
                     const char *data, bool *ret_created, struct err *err)
{
    static const struct db_statement put = {
        .name = "put_client",
        .sql = "SELECT created FROM api.put_client($1, $2, $3)",
        .params = 3,
    };
    const struct db_param params[] = {db_text(client_id), db_text(caller_role), db_text(data)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &put, params, &rows, err) < 0)
        return -1;
    *ret_created = db_rows_count(&rows) > 0 && db_rows_bool(&rows, 0, 0);
    return 0;
}

int client_store_delete(struct db *db, const char *client_id, struct err *err)
{
    static const struct db_statement drop = {
        .name = "delete_client",
        .sql = "SELECT api.delete_client($1)",
        .params = 1,
    };
    const struct db_param params[] = {db_text(client_id)};

    return db_run(db, &drop, params, err);
}
