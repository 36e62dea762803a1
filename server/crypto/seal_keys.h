/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside seal*.c only: the master keys.  The whole struct lies in locked memory, read only once it
 * is filled. */
#ifndef SERVER_CRYPTO_SEAL_KEYS_H
#define SERVER_CRYPTO_SEAL_KEYS_H

#include "server/crypto/seal.h"

#include <stddef.h>

#define SEAL_KEY_SIZE 32

struct seal_key {
    char id[SEAL_KEY_ID_SIZE];
    unsigned char key[SEAL_KEY_SIZE];
};

struct seal_keys {
    size_t count;
    struct seal_key keys[SEAL_KEYS_MAX]; /* the first one seals */
};

/* NULL if there is none of this id. */
const struct seal_key *seal_keys_find(const struct seal_keys *keys, const char *id);

#endif
