/* SPDX-License-Identifier: GPL-3.0-or-later
 * Access tokens: JWTs signed with HMAC-SHA-256 by a key all replicas share.  Several keys may be
 * accepted, so that a key can be changed without logging everybody out; the first one signs.
 * The only user of librhonabwy. */
#ifndef SERVER_CRYPTO_TOKEN_H
#define SERVER_CRYPTO_TOKEN_H

#include "common/err.h"
#include "server/crypto/claims.h"

#include <stddef.h>
#include <stdint.h>

#define TOKEN_KEYS_MAX      8
#define TOKEN_KEY_MIN_BYTES 16 /* shorter ones are refused; 32 and more are what RFC 7518 wants */
#define TOKEN_MAX_BYTES     ((size_t)16 << 10)

struct token_keys;

/* Keys are copied.  The result may be used by several threads at once. */
struct token_keys *token_keys_new(const char *const *keys, size_t count, struct err *err);
/* One key a line; empty lines are skipped. */
struct token_keys *token_keys_read(const char *path, struct err *err);
void token_keys_free(struct token_keys *keys);
/* Length of the shortest key, for a warning at start. */
size_t token_keys_shortest(const struct token_keys *keys);

/* Verifies signature and claims.  ERR_UNAUTHORIZED: expired or not yet valid; ERR_FORBIDDEN: no
 * token of ours.  On success the caller calls claims_done(). */
int token_verify(const struct token_keys *keys, const char *token, int64_t now_s, int64_t leeway_s,
                 struct claims *ret_claims, struct err *err);

/* A new token over the JSON text of a permissions object; the caller frees it. */
int token_make(const struct token_keys *keys, const char *permissions, int64_t now_s,
               int64_t lifetime_s, char **ret_token, struct err *err);

#endif
