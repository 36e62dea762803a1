/* SPDX-License-Identifier: GPL-3.0-or-later
 * Claims: one waiting job for one agent. */
#ifndef SERVER_STORE_CLAIM_H
#define SERVER_STORE_CLAIM_H

#include "common/buf.h"
#include "common/err.h"
#include "common/parse.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

#define CLAIM_SEEN_SIZE 40

/* The answer to one request. */
struct claim {
    bool found;               /* false: nothing waits; the next three are empty */
    char job[UUID_TEXT_SIZE]; /* its id */
    struct buf *body;         /* the job for the agent is appended here */
    struct buf secrets;       /* what it names, sealed: a JSON list, or nothing (api.claim_jobs) */
    /* of claim_store_wait() */
    char seen[CLAIM_SEEN_SIZE]; /* stands for the agent's state and limits */
    bool changed;               /* they are not what they were */
    bool others;                /* there are jobs that others may take */
};

/* What is asked for. */
struct claim_request {
    const char *list;  /* JSON list with the one request */
    const char *token; /* the lease token in it, made by the caller, by which the claim is found
                          again should the connection break while it is being committed */
};

/* ret_claim->body and .secrets come initialised.  After a failure .found says whether a job is
 * claimed all the same: it is to be given back. */
int claim_store_take(struct db *db, const struct claim_request *request, struct claim *ret_claim,
                     struct err *err);
/* For an agent that waits; seen: ret_claim->seen of its look before, "" at the first. */
int claim_store_wait(struct db *db, const struct claim_request *request, const char *seen,
                     struct claim *ret_claim, struct err *err);
/* Gives a claim back whose answer nobody gets.  Nobody claims the job for delay_s then. */
int claim_store_return(struct db *db, const char *job, const char *token, int64_t delay_s,
                       struct err *err);

#endif
