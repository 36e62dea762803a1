/* SPDX-License-Identifier: GPL-3.0-or-later
 * Client secrets as bcrypt hashes.  Both functions take tens of milliseconds by design: slow lane
 * only.  The only user of libxcrypt. */
#ifndef SERVER_CRYPTO_PASSWORD_H
#define SERVER_CRYPTO_PASSWORD_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_MAX_BYTES 72 /* bcrypt ignores what is behind */
#define PASSWORD_HASH_SIZE 61
#define PASSWORD_COST_MIN  4
#define PASSWORD_COST_MAX  16

/* Writes a new hash of the secret ("$2b$…").  ERR_INVALID: longer than PASSWORD_MAX_BYTES. */
int password_hash(const char *secret, int cost, char ret_hash[static PASSWORD_HASH_SIZE],
                  struct err *err);

/* Tells whether the secret is the one that was hashed.  hash NULL (no such client, or one without
 * a secret) takes as long as a hash of that cost and is never right. */
bool password_matches(const char *secret, const char *hash, int cost);

#endif
