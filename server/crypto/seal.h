/* SPDX-License-Identifier: GPL-3.0-or-later
 * Secrets at rest: XChaCha20-Poly1305 by libsodium.
 *
 * Every secret has a random data key of its own, and that key is wrapped by a master key out of a
 * file.  Changing the master key means wrapping the data keys anew; the values stay as they are.
 * Both are bound to the owner and the path: what was moved to another row cannot be opened.
 *
 * Keys live in locked memory that no core dump has.  No error names a value or a key, only the
 * key's id. */
#ifndef SERVER_CRYPTO_SEAL_H
#define SERVER_CRYPTO_SEAL_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

#define SEAL_KEYS_MAX      16
#define SEAL_KEY_ID_SIZE   65                  /* 64 characters and the NUL */
#define SEAL_DATA_KEY_SIZE (24 + 32 + 16)      /* wrapped: nonce, key, tag */
#define SEAL_VALUE_MAX     ((size_t)128 << 10) /* the longest environment variable of Linux */
#define SEAL_SEALED_MAX    (24 + SEAL_VALUE_MAX + 16)

struct seal_keys;

/* Whose secret, under which path. */
struct seal_name {
    const char *client_id;
    const char *path;
};

/* What is stored of one secret. */
struct sealed {
    char key_id[SEAL_KEY_ID_SIZE];
    unsigned char data_key[SEAL_DATA_KEY_SIZE];
    struct buf value; /* nonce, ciphertext, tag */
};

#define SEALED_INIT                                                                                \
    {                                                                                              \
        .value = BUF_INIT(SEAL_SEALED_MAX)                                                         \
    }

void sealed_done(struct sealed *sealed);

/* A key is a line "ID KEY": ID of letters, digits, ".", "_" and "-", KEY 32 bytes in base64.  The
 * first one seals, all of them open.  Empty lines and those that begin with # are skipped.  The
 * result may be used by several threads at once. */
struct seal_keys *seal_keys_read(const char *path, struct err *err);
void seal_keys_free(struct seal_keys *keys);
/* The id of the key that seals. */
const char *seal_keys_newest(const struct seal_keys *keys);

/* ERR_INVALID: longer than SEAL_VALUE_MAX.  *ret_sealed comes initialised. */
int seal_value(const struct seal_keys *keys, const struct seal_name *name, const char *value,
               size_t len, struct sealed *ret_sealed, struct err *err);

/* Appends the value to *ret_value, which the caller wipes.  ERR_NOT_FOUND: its master key is not
 * there; ERR_INVALID: it was tampered with, or belongs to another name. */
int seal_open(const struct seal_keys *keys, const struct seal_name *name,
              const struct sealed *sealed, struct buf *ret_value, struct err *err);

/* Wraps the data key with the newest master key and changes key_id; the value is not looked at.
 * Fails as seal_open() does, and changes nothing then. */
int seal_rewrap(const struct seal_keys *keys, const struct seal_name *name, struct sealed *sealed,
                struct err *err);

#endif
