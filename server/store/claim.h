/* SPDX-License-Identifier: GPL-3.0-or-later
 * Claims: waiting jobs for polling agents, many at a time. */
#ifndef SERVER_STORE_CLAIM_H
#define SERVER_STORE_CLAIM_H

#include "common/buf.h"
#include "common/err.h"
#include "common/parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define CLAIM_SEEN_SIZE 64
#define CLAIMS_MAX      256 /* in a batch */

/* Names of queues, which several agents may ask for. */
struct claim_list {
    const char *const *queues;
    size_t count;
};

/* One of many. */
struct claim {
    const char *agent; /* in a batch once */
    const char *boot;  /* NULL: not told */
    int64_t lease_s;   /* 0: none is asked for */
    size_t list;       /* which of the lists */
    bool waits;
    /* The lease token.  By it the claim is found again should the connection break while it is
     * being committed; another one is made if it has to be repeated. */
    char token[UUID_TEXT_SIZE];
    /* Stands for the agent's state and limits: what the look before left here, "" at the first. */
    char seen[CLAIM_SEEN_SIZE];
    struct buf *body; /* the job for the agent is appended here */
    struct err *err;  /* untouched, as ERR_NONE: the answer follows */
    /* the answer */
    bool found;               /* false: nothing waits; the next two are empty */
    char job[UUID_TEXT_SIZE]; /* its id */
    struct buf secrets;       /* what it names, sealed: a JSON list, or nothing (api.claim_jobs) */
    bool changed;             /* the agent is not what it was: nothing was looked for */
    bool busy;                /* somebody is just changing it: likewise */
    bool others;              /* there are jobs that others may take */
    bool slow;                /* to look for its job took long */
};

struct claim_batch {
    const struct claim_list *lists;
    size_t list_count;
    struct claim *claims; /* .secrets comes initialised */
    size_t count;         /* at most CLAIMS_MAX */
    bool patient;         /* waits instead of finding an agent busy */
};

/* All in one transaction: when it fails, each of them fails with the reason.  One that failed by
 * itself may be found all the same: it is to be given back. */
void claim_store_take(struct db *db, const struct claim_batch *batch);
/* Gives a claim back whose answer nobody gets.  Nobody claims the job for delay_s then. */
int claim_store_return(struct db *db, const char *job, const char *token, int64_t delay_s,
                       struct err *err);

#endif
