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

static int look_at_token(struct db *db, const struct db_statement *statement,
                         const unsigned char *hash, struct token_use *ret_use, struct err *err)
{
    const struct db_param params[] = {db_bytes(hash, CLIENT_TOKEN_HASH_BYTES)};
    struct token_use use = {.problem = NULL};
    const char **const texts[] = {&use.client_id, &use.permissions, &use.problem};

    if (db_query(db, statement, params, &use.rows, err) < 0)
        return -1;
    if (db_rows_count(&use.rows) != 1) {
        token_use_done(&use);
        return err_set(err, ERR_INTERNAL, "refresh token without an answer");
    }
    for (int i = 0; i < 3; i++)
        *texts[i] = db_rows_null(&use.rows, 0, i) ? NULL : db_rows_text(&use.rows, 0, i);
    *ret_use = use;
    return 0;
}

void token_use_done(struct token_use *use)
{
    db_rows_done(&use->rows);
}

int client_store_use_token(struct db *db, const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                           struct token_use *ret_use, struct err *err)
{
    static const struct db_statement use = {
        .name = "redeem_refresh_token",
        .sql = "SELECT client_id, permissions, problem FROM api.redeem_refresh_token($1)",
        .params = 1,
        .repeatable = true,
    };

    return look_at_token(db, &use, hash, ret_use, err);
}

int client_store_revoke_token(struct db *db,
                              const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                              struct token_use *ret_use, struct err *err)
{
    static const struct db_statement revoke = {
        .name = "end_refresh_token",
        .sql = "SELECT client_id, NULL, problem FROM api.end_refresh_token($1)",
        .params = 1,
    };

    return look_at_token(db, &revoke, hash, ret_use, err);
}

int client_store_list(struct db *db, const struct store_page *page, struct buf *ret_body,
                      struct buf *ret_next, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_clients",
        .sql = "SELECT body, next_after FROM api.list_clients($1, $2)",
        .params = 2,
        .repeatable = true,
    };

    return row_page(db, &list, page, ret_body, ret_next, err);
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
