/* SPDX-License-Identifier: GPL-3.0-or-later
 * Secrets of clients.  Only sealed ones come here. */
#ifndef SERVER_STORE_SECRET_H
#define SERVER_STORE_SECRET_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct secret_row {
    const char *client_id;
    const char *path;
    const char *key_id; /* the master key that wraps data_key */
    const void *data_key;
    size_t data_key_len;
    const struct buf *value;
    bool single_use;
    int64_t expire_after_s; /* 0: never */
};

/* Appends the answer, which tells when it expires. */
int secret_store_put(struct db *db, const struct secret_row *secret, struct buf *ret_body,
                     struct err *err);

/* One that is not there is fine. */
int secret_store_delete(struct db *db, const char *client_id, const char *path, struct err *err);

#endif
