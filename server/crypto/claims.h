/* SPDX-License-Identifier: GPL-3.0-or-later
 * What an access token says, apart from its signature: its claims as JSON text, made and read. */
#ifndef SERVER_CRYPTO_CLAIMS_H
#define SERVER_CRYPTO_CLAIMS_H

#include "common/buf.h"
#include "common/err.h"

#include <stdint.h>

#define CLAIMS_MAX_BYTES ((size_t)64 << 10)

struct claims {
    int64_t expires_at_s; /* seconds since 1970, leeway included */
    char *permissions;    /* JSON text of the object; freed by claims_done() */
};

/* Checks the required claims exp, iat and sub.  Expired or not yet valid is ERR_UNAUTHORIZED,
 * everything else that is wrong ERR_FORBIDDEN. */
int claims_check(const char *text, int64_t now_s, int64_t leeway_s, struct claims *ret_claims,
                 struct err *err);
void claims_done(struct claims *claims);

/* Adds the claims of a new token; permissions is the JSON text of an object. */
int claims_write(struct buf *out, const char *permissions, int64_t now_s, int64_t lifetime_s,
                 struct err *err);

#endif
