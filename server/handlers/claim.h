/* SPDX-License-Identifier: GPL-3.0-or-later
 * Claims: the agents that ask for work at a moment are served together. */
#ifndef SERVER_HANDLERS_CLAIM_H
#define SERVER_HANDLERS_CLAIM_H

#include "common/buf.h"
#include "common/err.h"
#include "server/routes.h"
#include "server/store/claim.h"
#include "server/work.h"

#include <stddef.h>
#include <stdint.h>

struct seal_keys;

_Static_assert(CLAIMS_MAX >= WORK_TOGETHER_MAX, "a round is one batch");

/* GET /v1/job */
void job_claim(struct app *app, struct turn *turns, size_t count);

/* What a round may ask for: each queue costs a look into an index. */
#define CLAIM_NAMES_MAX 8192
#define CLAIM_BYTES_MAX ((size_t)1 << 20)

/* What is asked for with one call of the database.  Agents with the same queues share a list. */
struct claim_round {
    struct claim claims[WORK_TOGETHER_MAX];
    struct claim_asker {
        struct turn *turn;
        int64_t wait_s; /* 0: does not wait */
        uint64_t agent; /* a number for its name */
    } askers[WORK_TOGETHER_MAX];
    size_t count;
    struct claim_list lists[WORK_TOGETHER_MAX];
    uint64_t list_keys[WORK_TOGETHER_MAX];
    size_t list_count;
    const char *names[CLAIM_NAMES_MAX];
    size_t name_count, name_bytes;
};

void claim_round_init(struct claim_round *round);
void claim_round_done(struct claim_round *round);
/* Adds the request, unless its turn comes later, it is answered already, or there is something
 * wrong with it: the turn says which.  The request must outlive the round. */
void claim_round_add(struct claim_round *round, const struct app *app, struct turn *turn);

/* The name of the i-th parameter's queue; NULL if it is something else. */
const char *claim_queue(const struct request *req, size_t i);

/* Replaces the paths in test_data.secrets of a claimed job (JSON text) by the values.  sealed: the
 * list that came with it (tfx.render_secrets).  What is not in it or cannot be opened becomes "",
 * with a line in the log in the second case: a claim never fails for a secret.  keys NULL: this
 * server has no store, nothing can be opened. */
int claim_open_secrets(const struct seal_keys *keys, const struct buf *sealed, struct buf *body,
                       struct err *err);

#endif
