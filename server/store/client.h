/* SPDX-License-Identifier: GPL-3.0-or-later
 * Clients: secrets, permissions and refresh tokens.  Only hashes of secrets and tokens get here. */
#ifndef SERVER_STORE_CLIENT_H
#define SERVER_STORE_CLIENT_H

#include "common/buf.h"
#include "common/err.h"
#include "server/db/db.h"
#include "server/store/page.h"

#include <stdbool.h>
#include <stdint.h>

#define CLIENT_TOKEN_HASH_BYTES 32

/* The texts are valid until client_secret_done(). */
struct client_secret {
    struct db_rows rows;
    const char *hash;        /* NULL: no such client, or one without a secret */
    const char *permissions; /* JSON object for its tokens */
};

int client_store_secret(struct db *db, const char *client_id, struct client_secret *ret_secret,
                        struct err *err);
void client_secret_done(struct client_secret *secret);

int client_store_add_token(struct db *db, const char *client_id,
                           const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                           int64_t lifetime_s, struct err *err);
/* A refresh token, looked at.  The texts are valid until token_use_done(). */
struct token_use {
    struct db_rows rows;
    const char *client_id;   /* NULL: unknown */
    const char *permissions; /* JSON, the client's of now */
    const char *problem;     /* why it is not good, a word or two; NULL: it is */
};
int client_store_use_token(struct db *db, const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                           struct token_use *ret_use, struct err *err);
/* permissions stays NULL. */
int client_store_revoke_token(struct db *db,
                              const unsigned char hash[static CLIENT_TOKEN_HASH_BYTES],
                              struct token_use *ret_use, struct err *err);
void token_use_done(struct token_use *use);

/* JSON, never with a hash.  *ret_next: where the next page begins, if there is one. */
int client_store_list(struct db *db, const struct store_page *page, struct buf *ret_body,
                      struct buf *ret_next, struct err *err);
int client_store_get(struct db *db, const char *client_id, struct buf *ret_body, struct err *err);

/* data: JSON of the fields to set; the secret as its hash. */
int client_store_put(struct db *db, const char *client_id, const char *caller_role,
                     const char *data, bool *ret_created, struct err *err);
int client_store_delete(struct db *db, const char *client_id, struct err *err);

#endif
