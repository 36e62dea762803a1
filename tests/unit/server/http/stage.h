/* SPDX-License-Identifier: GPL-3.0-or-later
 * A loop with workers and a route table of its own, for tests over a socket. */
#ifndef TESTS_UNIT_SERVER_HTTP_STAGE_H
#define TESTS_UNIT_SERVER_HTTP_STAGE_H

#include "server/db/executor.h"
#include "server/http/loop.h"
#include "server/http/park.h"
#include "server/metrics.h"
#include "server/routes.h"

#include "common/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct stage {
    struct clock clock;             /* first */
    atomic_int_fast64_t stopped_ms; /* it stands still there; 0: it runs */
    struct park *park;
    struct token_keys *keys;
    struct metrics *metrics;
    struct executor *executor;
    struct loop *loop;
    int listen_fd;
    int port;
};

/* One worker in each lane, queue_max places; header and body time-outs as given. */
struct stage *stage_start(const struct route *routes, size_t count, size_t queue_max,
                          int64_t timeout_ms);
/* Drains and frees.  Returns false if the loop did not end within its time. */
bool stage_stop(struct stage *stage);
/* The clock of loop and workers stands still from now on; of what was begun before, times are
 * wrong. */
void stage_stop_clock(struct stage *stage);
void stage_advance(struct stage *stage, int64_t ms);
#define HOST      "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
/* Fails unless the request is answered with the status and a body that has the part in it. */
void stage_answers(const struct stage *stage, const char *request, int status,
                   const char *body_part);
/* Two milliseconds, for a loop that looks again and again. */
void stage_pause(void);
/* Until the metric has the value (or fails after 30 s). */
void stage_until(const struct stage *stage, enum metric which, int64_t value);

/* A place where a handler waits until the test lets it go. */
struct latch {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int waiting;
    int passed;
    bool open;
};
#define LATCH_INIT                                                                                 \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER                       \
    }
void latch_pass(struct latch *latch);
void latch_until_waiting(struct latch *latch, int count);
void latch_until_passed(struct latch *latch, int count);
void latch_set(struct latch *latch, bool open);

#endif
