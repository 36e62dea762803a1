/* SPDX-License-Identifier: GPL-3.0-or-later
 * Claims: one waiting job for one agent. */
#ifndef SERVER_STORE_CLAIM_H
#define SERVER_STORE_CLAIM_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

struct db;

/* requests: JSON list with the one request; token: the lease token in it, made by the caller, by
 * which the claim is found again should the connection break while it is being committed.
 * Appends the job for the agent; *ret_found is false if nothing waits. */
int claim_store_take(struct db *db, const char *requests, const char *token, struct buf *ret_body,
                     bool *ret_found, struct err *err);

#endif
