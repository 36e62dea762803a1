/* SPDX-License-Identifier: GPL-3.0-or-later
 * Who is asking, from the Authorization header, and whether the route is for them.
 *
 * Checking a signature costs more than the rest of a small request, so verified tokens are
 * remembered: one struct auth for each loop thread, whose thread alone calls what is here. */
#ifndef SERVER_HTTP_AUTH_H
#define SERVER_HTTP_AUTH_H

#include "common/clock.h"
#include "common/err.h"
#include "server/crypto/token.h"
#include "server/http/request.h"

struct auth;

struct auth *auth_new(const struct token_keys *keys, int64_t leeway_s, const struct clock *clock,
                      struct err *err);
void auth_free(struct auth *auth);

/* Fills *ret_caller, for auth_release().  header may be NULL.  roles is the route's set; 0 is
 * public: the header is ignored then.  ERR_UNAUTHORIZED: expired
 * or not yet valid; ERR_FORBIDDEN: bad token or not this role; in the last
 * case *ret_caller is filled all the same, for the logs. */
int auth_check(struct auth *auth, const char *header, unsigned roles, struct caller *ret_caller,
               struct err *err);
/* Whatever the caller points to may be gone then; it is nobody afterwards. */
void auth_release(struct caller *caller);

#endif
