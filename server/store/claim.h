/* SPDX-License-Identifier: GPL-3.0-or-later
 * Claims: one waiting job for one agent. */
#ifndef SERVER_STORE_CLAIM_H
#define SERVER_STORE_CLAIM_H

#include "common/buf.h"
#include "common/err.h"
#include "common/parse.h"

#include <stdbool.h>

struct db;

/* The answer to one request. */
struct claim {
    bool found; /* false: nothing waits; the rest is empty */
    char job[UUID_TEXT_SIZE];
    struct buf *body;   /* the job for the agent is appended here */
    struct buf secrets; /* what it names, sealed: a JSON list, or nothing (api.claim_jobs) */
};

/* requests: JSON list with the one request; token: the lease token in it, made by the caller, by
 * which the claim is found again should the connection break while it is being committed.
 * ret_claim->body and .secrets come initialised. */
int claim_store_take(struct db *db, const char *requests, const char *token,
                     struct claim *ret_claim, struct err *err);

#endif
